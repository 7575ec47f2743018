/** Reads the body of an API's answer: each wait for its bytes has an end, and so has its size. */
import { Problem } from '../errors/problem';
import { bareCause } from '../errors/redaction';

/** Runs one step, for as long as it may take. */
type Wait = <T>(step: () => Promise<T>) => Promise<T>;

/** The bytes of one answer. */
export class AnswerBody {
  readonly #bytes: AsyncIterator<Uint8Array, unknown>;
  readonly #wait: Wait;
  readonly #release: () => void;

  /** @param release called once the body has been read to its end, or was given up */
  constructor(body: AsyncIterable<Uint8Array>, wait: Wait, release: () => void) {
    this.#bytes = body[Symbol.asyncIterator]();
    this.#wait = wait;
    this.#release = release;
  }

  /** @throws {Problem} `incomplete_response`, and what waiting throws */
  async next(): Promise<Uint8Array | undefined> {
    const { done, value } = await this.#wait(() => this.#bytes.next().catch(breakOff));
    if (done) this.#release();
    return done ? undefined : value;
  }

  async giveUp(): Promise<void> {
    this.#release();
    await this.#bytes.return?.().catch(() => undefined);
  }

  /**
   * The text, or its beginning when it is longer.
   *
   * @param maximum bytes, after decompression
   */
  async text(maximum: number): Promise<{ text: string; isWhole: boolean }> {
    const chunks: Uint8Array[] = [];
    let size = 0;
    for (;;) {
      const chunk = await this.next();
      size += chunk?.length ?? 0;
      if (chunk !== undefined && size <= maximum) {
        chunks.push(chunk);
        continue;
      }
      // A clone is given up for good only with its original.
      if (chunk !== undefined) void this.giveUp();
      const text = new TextDecoder().decode(Buffer.concat(chunks));
      return { text, isWhole: chunk === undefined };
    }
  }
}

function breakOff(error: unknown): never {
  const cause = bareCause(Reflect.get(Object(error), 'cause') ?? error);
  const message = 'the connection was closed before the answer was whole';
  throw new Problem('incomplete_response', message, { cause });
}

/** This many bytes are read before the caller asks for them: a small answer that is not read ends by itself. */
const READ_AHEAD_BYTES = 65_536;

/** Gives up the bodies that the application has dropped without reading them. */
const dropped = new FinalizationRegistry<AnswerBody>((body) => void body.giveUp());

/** The answer with a body that is read through `body`, each time by `read`. */
export function withBody(response: Response, body: AnswerBody, read: Wait): Response {
  const stream = new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        const chunk = await read(() => body.next());
        if (chunk === undefined) controller.close();
        else controller.enqueue(chunk);
      },
      cancel: async () => await body.giveUp(),
    },
    new ByteLengthQueuingStrategy({ highWaterMark: READ_AHEAD_BYTES }),
  );
  dropped.register(stream, body);
  const { url, redirected, type } = response;
  const answer = new Response(stream, response);
  return Object.defineProperties(answer, {
    url: { value: url },
    redirected: { value: redirected },
    type: { value: type },
  });
}
