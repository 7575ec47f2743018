/** Finds the description of a provider in an installed package. */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { defineProvider } from '../provider/description';
import type { Provider, ProviderDescription } from '../provider/description';

/** The package cannot be used: a mistake in the command, and not in the set-up. */
export class PackageError extends Error {}

export interface FoundPackage {
  provider: Provider;
  /** Absent for a file. */
  version: string | undefined;
}

/**
 * @param name a package, or a path from the folder, as `require` takes it
 * @param wanted the name of the provider, where the package describes several
 * @throws {PackageError}
 */
export async function findProvider(
  name: string,
  folder: string,
  wanted?: string,
): Promise<FoundPackage> {
  const require = createRequire(join(folder, 'package.json'));
  const found = descriptionsIn(await load(name, require));
  const names = found.map((one) => one.name).join(', ');
  if (found.length === 0) {
    throw new PackageError(
      `${name} exports no description of a provider, as defineProvider() of crm-oauth2 makes it.`,
    );
  }
  const [provider, ...more] = found.filter((one) => wanted === undefined || one.name === wanted);
  if (provider === undefined) throw new PackageError(`${name} describes ${names} only.`);
  if (more.length > 0) {
    throw new PackageError(
      `${name} describes several providers: choose one with --provider: ${names}.`,
    );
  }
  return { provider, version: versionOf(name, require) };
}

async function load(name: string, require: NodeJS.Require): Promise<unknown> {
  try {
    return require(name);
  } catch (error) {
    const code: unknown = Reflect.get(Object(error), 'code');
    // An ES module, with a top-level await or for an older Node.
    if (code === 'ERR_REQUIRE_ESM' || code === 'ERR_REQUIRE_ASYNC_MODULE') {
      return await import(pathToFileURL(require.resolve(name)).href);
    }
    if (code === 'ERR_PACKAGE_PATH_NOT_EXPORTED') return await import(name);
    const first = (error as Error).message.split('\n')[0];
    const isMissing = code === 'MODULE_NOT_FOUND' && first?.includes(`'${name}'`);
    throw new PackageError(
      isMissing
        ? `${name} is not installed here. Run the command in the folder of the application.`
        : `${name} cannot be loaded: ${first}`,
    );
  }
}

/** The descriptions among the exports, each once. */
function descriptionsIn(exported: unknown): Provider[] {
  const places = [exported, Reflect.get(Object(exported) as object, 'default')];
  const values = places.flatMap((place) => Object.values(Object(place) as object) as unknown[]);
  return [...new Set(values.filter(isDescription))].map((one) =>
    Object.isFrozen(one) ? (one as Provider) : defineProvider(one),
  );
}

function isDescription(value: unknown): value is ProviderDescription {
  if (typeof value !== 'object' || value === null) return false;
  const { name, title, endpoints } = value as Partial<ProviderDescription>;
  return typeof name === 'string' && typeof title === 'string' && typeof endpoints === 'function';
}

function versionOf(name: string, require: NodeJS.Require): string | undefined {
  try {
    return (require(`${name}/package.json`) as { version?: string }).version;
  } catch {
    return undefined;
  }
}
