/**
 * The distance to the provider, in a process of its own: it delays every byte by `delay` each way, and a
 * new connection by a round trip, like TCP's own handshake.
 */
import net from 'node:net';
import { portOf } from './app-parts';
import { serve } from './rpc';

/** Timers may be a millisecond late, four times in a login. So the last two milliseconds are waited out. */
function at(moment: number, act: () => void): void {
  const left = moment - performance.now();
  if (left <= 0) act();
  else if (left < 2) setImmediate(at, moment, act);
  else setTimeout(at, Math.floor(left) - 1, moment, act);
}

/** Passes data on in order: each timer sends the head of the queue. */
function pass(from: net.Socket, to: net.Socket, delay: number, notBefore: number): void {
  const queue: (() => void)[] = [];
  const later = (act: () => void) => {
    queue.push(act);
    at(Math.max(performance.now(), notBefore) + delay, () => queue.shift()?.());
  };
  from.on('data', (chunk) => later(() => to.writable && to.write(chunk)));
  from.on('end', () => later(() => to.end()));
  from.on('error', () => to.destroy());
  from.on('close', () => later(() => to.destroy()));
}

const handlers = {
  async listen({ target, delay }: { target: number; delay: number }) {
    const server = net.createServer({ allowHalfOpen: true, noDelay: true }, (near) => {
      const far = net.connect({ port: target, host: '127.0.0.1', noDelay: true });
      pass(near, far, delay, performance.now() + 2 * delay);
      pass(far, near, delay, 0);
    });
    server.listen(0, '127.0.0.1');
    return await portOf(server);
  },
};

export type ProxyHandlers = typeof handlers;

serve(handlers);
