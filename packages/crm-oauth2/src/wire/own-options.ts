/** Keeps a polluted `Object.prototype` out of the options of a connection. */

/** `tls.connect` sets these itself, and takes no `undefined` in their place. */
const SET_BY_NODE = ['checkServerIdentity', 'minDHSize'];

/**
 * Node copies options into objects that inherit from `Object.prototype`. A `socketPath`, `lookup` or `ca`
 * that an attacker has put there, through a flaw elsewhere in the application, would send the secret and the
 * code to another server. A key of the options themselves stands before it.
 */
export function ownOptions<T extends object>(options: T): T {
  let own = options;
  for (const name in Object.prototype) {
    if (!SET_BY_NODE.includes(name)) own = { [name]: undefined, ...own };
  }
  return own;
}
