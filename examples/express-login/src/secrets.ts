/** The two secrets: from the environment, or made once and kept in a file that only its owner reads. */
import { createHmac, randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';

export interface Secrets {
  /** Signs the session cookie, and encrypts the cookies of pending logins. */
  session: string;
  /** Seals the tokens in the database. */
  token: string;
}

/** Beside the folder of the database, so that a copy of the database alone opens no token. */
export function readSecrets({ session, token }: Partial<Secrets>, folder: string): Secrets {
  if (session !== undefined && token !== undefined) return { session, token };
  const kept = keptSecrets(folder);
  return { session: session ?? kept.session, token: token ?? kept.token };
}

function keptSecrets(folder: string): Secrets {
  const file = join(folder, 'secrets');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const made = ['SESSION_SECRET', 'TOKEN_SECRET'].map(
    (name) => `${name}=${randomBytes(32).toString('hex')}\n`,
  );
  try {
    // Fails if there is such a file: of two processes that start together, one makes it.
    writeFileSync(file, made.join(''), { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if (Reflect.get(Object(error), 'code') !== 'EEXIST') throw error;
  }
  const { SESSION_SECRET: session = '', TOKEN_SECRET: token = '' } = parseEnv(
    readFileSync(file, 'utf8'),
  );
  if (session.length < 32 || token.length < 32) {
    throw new Error(`${file} is damaged. Without it the stored tokens are lost: remove ${folder}.`);
  }
  return { session, token };
}

/** A secret of its own for each use, so that one use tells nothing about another. */
export function deriveSecret(secret: string, use: string): string {
  return createHmac('sha256', secret).update(use).digest('hex');
}
