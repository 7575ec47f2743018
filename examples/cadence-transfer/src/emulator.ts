/** For development only: the emulator plays two Salesloft instances, and one person signs in by `fetch`. */
import { MemoryTokenStore } from 'crm-oauth2';
import type { Emulator } from 'crm-emulator';

/** The only person here, so that the sign-in page has one button. */
const PEOPLE = [{ name: 'Suri' }];

export async function emulate() {
  // An ES module, and loaded only here: with credentials of your own it is not needed.
  const { startEmulator } = await import('crm-emulator');
  const [from, to] = await Promise.all([startEmulator(), startEmulator({ people: PEOPLE })]);
  return {
    from: instanceOf(from),
    to: instanceOf(to),
    visit: pressOnlyButton,
    store: new MemoryTokenStore(),
    close: async () => {
      await Promise.all([from.close(), to.close()]);
    },
  };
}

function instanceOf({ salesloft }: Emulator) {
  return { options: salesloft.options, baseURL: `${salesloft.origin}/v2` };
}

/** Signs in on the emulator's page, and returns the callback URL. Salesloft asks for a password. */
async function pressOnlyButton(authorizationURL: string): Promise<string> {
  const page = await fetch(authorizationURL);
  const [, person = ''] = /name="person"\s+value="(\d+)"/.exec(await page.text()) ?? [];
  const body = new URLSearchParams({ person });
  let step = await fetch(page.url, { method: 'POST', body, redirect: 'manual' });
  // The page answers with a redirect to itself, which redirects to the application.
  step = await fetch(new URL(step.headers.get('location') ?? '', page.url), { redirect: 'manual' });
  return step.headers.get('location') ?? '';
}
