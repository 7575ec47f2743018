/** For development only: two Salesloft instances on this machine, and somebody who signs in by `fetch`. */
import { MemoryTokenStore } from 'crm-oauth2';
import type { Emulator } from 'crm-emulator';
import type { Instance, Setup } from './setup';

export async function emulate(): Promise<Pick<Setup, 'from' | 'to' | 'visit' | 'store' | 'close'>> {
  // An ES module, and loaded only here: with credentials it is not needed.
  const { startEmulator } = await import('crm-emulator');
  const [from, to] = await Promise.all([startEmulator(), startEmulator()]);
  return {
    from: instance(from),
    to: instance(to),
    visit: async (url) => await continueAs('Suri', url),
    store: new MemoryTokenStore(),
    close: async () => {
      await Promise.all([from.close(), to.close()]);
    },
  };
}

function instance({ salesloft }: Emulator): Instance {
  return { options: salesloft.options, baseURL: `${salesloft.origin}/v2` };
}

/** Presses the button of the emulator's page; nothing of the kind works at Salesloft. */
async function continueAs(name: string, authorizationURL: string): Promise<string> {
  const page = await fetch(authorizationURL);
  const [, person = ''] =
    new RegExp(`value="(\\d+)"[^>]*>\\s*Continue as ${name}`).exec(await page.text()) ?? [];
  const body = new URLSearchParams({ person });
  const step = await fetch(page.url, { method: 'POST', body, redirect: 'manual' });
  const next = new URL(step.headers.get('location') ?? '', page.url);
  const done = await fetch(next, { redirect: 'manual' });
  return done.headers.get('location') ?? '';
}
