/** The proxy of the environment: its variable, and Node's own use of it. */
import * as http from 'node:http';
import * as https from 'node:https';
import { expect } from 'chai';
import { proxyAgent, proxyRemedy, proxyVariable } from '../../dist/check/proxy';

/** Runs with an agent as Node makes it under NODE_USE_ENV_PROXY=1. */
function underProxy(agent: http.Agent, act: () => void): void {
  const options = Reflect.get(agent, 'options') as { proxyEnv?: object };
  const { proxyEnv } = options;
  options.proxyEnv = {};
  try {
    act();
  } finally {
    options.proxyEnv = proxyEnv;
  }
}

describe('proxy of the environment', () => {
  it('proxyVariable — names the variable, and never its value', () => {
    expect(proxyVariable({ https_proxy: 'http://user:password@proxy.test' })).to.equal(
      'https_proxy',
    );
    expect(proxyVariable({ HTTP_PROXY: 'http://proxy.test', HTTPS_PROXY: '' })).to.equal(
      'HTTP_PROXY',
    );
    expect(proxyVariable({ http_proxy: 'a', HTTPS_PROXY: 'b' })).to.equal('HTTPS_PROXY');
    expect(proxyVariable({ NO_PROXY: 'localhost' })).to.equal(undefined);
  });

  it('proxyAgent — is the agent of Node that uses it', () => {
    const url = new URL('https://id.acme.test');
    expect(proxyAgent(url)).to.equal(undefined);
    underProxy(https.globalAgent, () => {
      expect(proxyAgent(url)).to.equal(https.globalAgent);
      expect(proxyAgent(new URL('http://127.0.0.1'))).to.equal(undefined);
    });
    underProxy(http.globalAgent, () => {
      expect(proxyAgent(new URL('http://127.0.0.1'))).to.equal(http.globalAgent);
    });
  });

  it('proxyRemedy — names the variable and both ways', () => {
    expect(proxyRemedy('HTTPS_PROXY'))
      .to.match(/^HTTPS_PROXY names a proxy, which a login does not use by itself\./)
      .and.contain('globalAgent')
      .and.contain('NODE_USE_ENV_PROXY=1')
      .and.contain('https-proxy-agent');
  });
});
