/**
 * The distance to the provider, in a process of its own: every byte takes `delay` each way, and a
 * connection is there after a round trip, as TCP's own handshake would have it.
 */
'use strict';
const net = require('node:net');
const { serve } = require('./rpc');

/** A timer may be a millisecond late, and there are four of them in a login: the rest is waited out. */
function at(moment, act) {
  const left = moment - performance.now();
  if (left <= 0) act();
  else if (left < 2) setImmediate(at, moment, act);
  else setTimeout(at, Math.floor(left) - 1, moment, act);
}

/** Passes on in order: what is due takes the head of the queue, not what it was set for. */
function pass(from, to, delay, notBefore) {
  const queue = [];
  const later = (act) => {
    queue.push(act);
    at(Math.max(performance.now(), notBefore) + delay, () => queue.shift()());
  };
  from.on('data', (chunk) => later(() => to.writable && to.write(chunk)));
  from.on('end', () => later(() => to.end()));
  from.on('error', () => to.destroy());
  from.on('close', () => later(() => to.destroy()));
}

serve({
  async listen({ target, delay }) {
    const server = net.createServer({ allowHalfOpen: true, noDelay: true }, (near) => {
      const far = net.connect({ port: target, host: '127.0.0.1', noDelay: true });
      pass(near, far, delay, performance.now() + 2 * delay);
      pass(far, near, delay, 0);
    });
    await new Promise((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    return server.address().port;
  },
});
