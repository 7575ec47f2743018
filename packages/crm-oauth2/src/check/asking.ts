/** Sends the requests of the check, each with an end, and notes the clocks of the hosts. */
import { located } from '../errors/oauth2-error';
import type { Stage } from '../errors/oauth2-error';
import type { Provider } from '../provider/description';
import { Deadline } from '../wire/deadline';
import { HttpClient } from '../wire/http';
import type { Agent, HttpRequest, HttpResponse } from '../wire/http';

/** The difference between the clock of a host and that of this machine. */
export interface ClockReading {
  host: string;
  /** Positive when the clock of this machine is behind. */
  aheadMs: number;
}

/** Values that no provider knows, to compare its answers with. They say to the people who read its log that this is not an attack. */
export const MADE_UP_ID = 'made-up-by-crm-oauth2-check';
export const MADE_UP_SECRET = 'made-up-by-crm-oauth2-check-secret';
export const MADE_UP_CODE = 'made-up-by-crm-oauth2-check-code';

/** RFC 2606 §2: the name never resolves. */
export const MADE_UP_CALLBACK = 'https://crm-oauth2-check.invalid/callback';

/** Asks one provider. */
export class Asking {
  readonly provider: Provider;
  readonly timeoutMs: number;
  readonly clocks: ClockReading[] = [];
  readonly #now: () => number;
  readonly #http = new HttpClient();
  #agent: Agent | undefined;

  constructor(provider: Provider, timeoutMs: number, now: () => number) {
    this.provider = provider;
    this.timeoutMs = timeoutMs;
    this.#now = now;
  }

  /** The agent of a proxy, where one is needed. */
  get agent(): Agent | undefined {
    return this.#agent;
  }

  /** @throws {OAuth2Error} `dns_error`, `tls_error`, `connection_refused`, `timeout` and the like */
  async ask(
    stage: Stage,
    url: URL,
    message: Partial<Pick<HttpRequest, 'method' | 'headers' | 'body'>> = {},
  ): Promise<HttpResponse> {
    const { provider } = this;
    const { method = 'GET', headers, body } = message;
    const own = { accept: 'application/json', 'user-agent': 'crm-oauth2', ...headers };
    return await located({ provider, stage, host: url.host }, async () => {
      const askedAt = this.#now();
      const response = await this.#http.send(
        { method, url, headers: own, body },
        new Deadline(this.timeoutMs),
      );
      this.#note(url.host, response, (askedAt + this.#now()) / 2);
      return response;
    });
  }

  /** Sends every later request through another agent. */
  useAgent(agent: Agent): void {
    this.#agent = agent;
    this.#http.useAgent(agent);
  }

  close(): void {
    this.#http.close();
  }

  /** RFC 9110 §6.6.1; a cached answer is as old as its `Age` says (RFC 9111 §5.1). */
  #note(host: string, { headers }: HttpResponse, at: number): void {
    const date = Date.parse(headers.date ?? '');
    const ageSeconds = Number(headers.age ?? 0);
    if (Number.isNaN(date) || !Number.isFinite(ageSeconds)) return;
    this.clocks.push({ host, aheadMs: date + ageSeconds * 1000 - at });
  }
}
