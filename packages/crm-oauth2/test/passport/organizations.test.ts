import { expect } from 'chai';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { DiagnosticsEvent } from '../../dist/errors/diagnostics';
import { judgeOrganizations, requireOrganization } from '../../dist/passport/organizations';
import { text } from '../../dist/values/json';
import type { TokenSet } from '../../dist/protocol/token-set';
import { regions, regionsWith } from '../regions';
import type { RegionProfile } from '../regions';
import { acme, mockTheNetwork, thrown } from '../support';
import { answer, finish, make, refusalOf, signIn } from './many-support';
import { start } from './support';
import type { Outcome } from './support';

const TOKENS: TokenSet = { accessToken: 'at-1', tokenType: 'Bearer', response: {} };
const OPTION = 'Owner: option "allowedOrganizations"';
const PROFILE: RegionProfile = {
  provider: 'acme',
  id: 'zoe',
  displayName: '',
  _raw: '',
  _json: {},
};

const judge = (entries: unknown, provider: object = regions) =>
  judgeOrganizations('Owner', provider as never, entries);

/** The problem of a person from these organizations. */
function problemOf(names: readonly string[] | undefined, allowed: readonly string[] | undefined) {
  const provider = regionsWith({ organizationsOf: names && (() => names) });
  return thrown(() => requireOrganization(provider, allowed, { tokens: TOKENS }));
}

describe('organizations', () => {
  describe('in the options', () => {
    it('are read by the provider, each', () => {
      expect(judge(['ORG-1', 'org-2'])).to.deep.equal(['org-1', 'org-2']);
      expect(judge(undefined)).to.equal(undefined);
    });

    for (const [entries, message] of [
      [[], `${OPTION} is empty; leave it out to admit everyone`],
      ['org-1', `${OPTION} must be an array of strings`],
      [null, `${OPTION} must be an array of strings`],
      [{ 0: 'org-1' }, `${OPTION} must be an array of strings`],
      [['org-1', ''], `${OPTION} is required and must be a non-empty string`],
      [['org-1', 7], `${OPTION} is required and must be a non-empty string`],
      [['undefined'], `${OPTION} is the text "undefined"`],
      [['org-1\n'], `${OPTION} has white space around it`],
      [['org-1', 'x'], `${OPTION} has "x", which names no organization`],
      [['x\u001b[2J\ny'], `${OPTION} has "x [2J y", which names no organization`],
      [
        [`x${'y'.repeat(400)}`],
        `${OPTION} has "x${'y'.repeat(299)}…", which names no organization`,
      ],
    ] as [unknown, string][]) {
      it(`are refused: ${JSON.stringify(entries).slice(0, 60)}`, () => {
        const error: unknown = thrown(() => judge(entries));
        expect(error).to.be.instanceOf(TypeError);
        expect((error as Error).message).to.include(message);
      });
    }

    for (const [title, provider] of [
      ['that has none', acme],
      ['that cannot read one', regionsWith({ readOrganization: undefined })],
      ['that cannot tell them', regionsWith({ organizationsOf: undefined })],
    ] as const) {
      it(`are refused at a provider ${title}, also an empty list`, () => {
        for (const entries of [['org-1'], []]) {
          expect(thrown(() => judge(entries, provider)).message).to.equal(
            `${OPTION} needs organizations, which it does not have`,
          );
        }
        expect(judge(undefined, provider)).to.equal(undefined);
      });
    }

    it('are judged when the strategy is made', () => {
      const wrong = () => make({ clientID: 'client-1', allowedOrganizations: ['x'] });
      expect(thrown(wrong).message).to.equal(
        'Acme: option "allowedOrganizations" has "x", which names no organization',
      );
    });
  });

  describe('of a person', () => {
    it('one that is allowed is enough', () => {
      const provider = regionsWith({ organizationsOf: () => ['org-9', 'org-2'] });
      requireOrganization(provider, ['org-1', 'org-2'], { tokens: TOKENS });
    });

    it('are not asked for without the option', () => {
      const organizationsOf = () => {
        throw new Error('asked');
      };
      requireOrganization(regionsWith({ organizationsOf }), undefined, { tokens: TOKENS });
    });

    it('are told by the tokens and the profile', () => {
      const seen: unknown[] = [];
      const login = { tokens: TOKENS, profile: PROFILE };
      const organizationsOf = (given: unknown) => {
        seen.push(given);
        return ['org-1'];
      };
      requireOrganization(regionsWith({ organizationsOf }), ['org-1'], login);
      expect(seen).to.deep.equal([login]);
    });

    for (const [names, words] of [
      [['org-2'], 'of the organization org-2'],
      [['org-2', 'Evil Inc.'], 'of the organization org-2, Evil Inc.'],
      [['ORG-1'], 'of the organization ORG-1'],
      [['org-1 '], 'of the organization org-1'],
      [['org'], 'of the organization org'],
      [['org-1,org-2'], 'of the organization org-1,org-2'],
      [['a\u001b[2J\nb\u202ec'], 'of the organization a [2J b c'],
      [[], 'of no organization'],
      [undefined, 'of no organization'],
    ] as [readonly string[] | undefined, string][]) {
      it(`are named in the refusal: ${words}`, () => {
        const problem = problemOf(names, ['org-1']);
        expect(problem).to.include({
          code: 'organization_not_allowed',
          message: `the person is ${words}`,
        });
        expect(problem.details.refusal).to.equal(403);
      });
    }

    describe('CWE-1321 — a polluted prototype', () => {
      const claimed = regionsWith({
        organizationsOf: ({ tokens }) => [text(tokens.claims?.organization) ?? 'org-none'],
      });
      const CLAIMS = { iss: 'https://acme.test/', sub: 'zoe' };

      for (const [title, provider, login] of [
        ['the profile', regions, { tokens: TOKENS, profile: PROFILE }],
        ['the token response', regions, { tokens: TOKENS }],
        ['the claims', claimed, { tokens: { ...TOKENS, claims: CLAIMS } }],
      ] as const) {
        it(`adds no organization to ${title}`, () => {
          Reflect.set(Object.prototype, 'organization', 'org-1');
          try {
            const problem = thrown(() => requireOrganization(provider, ['org-1'], login));
            expect(problem.code).to.equal('organization_not_allowed');
          } finally {
            Reflect.deleteProperty(Object.prototype, 'organization');
          }
        });
      }

      it('and a profile of a class, which a hook has made: its getters are read', () => {
        class Person {
          get organization() {
            return 'org-1';
          }
        }
        const profile = new Person() as never;
        expect(() =>
          requireOrganization(regions, ['org-1'], { tokens: TOKENS, profile }),
        ).not.to.throw();
      });
    });

    it('CWE-770 — are named in 300 characters', () => {
      const { message } = problemOf(['o'.repeat(9000)], ['org-1']);
      expect(message).to.equal(`the person is of the organization ${'o'.repeat(300)}…`);
    });
  });

  describe('at a login', () => {
    mockTheNetwork();
    const options = { clientID: 'client-1', allowedOrganizations: ['ORG-1'] };

    async function arrive(
      changes: object,
      answers: Parameters<typeof answer>[0],
    ): Promise<Outcome> {
      answer(answers);
      const strategy = make({ ...options, ...changes });
      const session = {};
      const { state } = await start(strategy, session);
      return await finish(strategy, session, state);
    }

    it('one that is allowed signs in', async () => {
      answer({ profile: { organization: 'org-1' } });
      expect((await signIn(make(options))).user.profile).to.include({ organization: 'org-1' });
    });

    for (const [title, answers] of [
      ['another', { profile: { organization: 'org-2' } }],
      ['none', {}],
    ] as const) {
      it(`RFC 6749 §10.12 — ${title} is refused before verify is called, and published`, async () => {
        const events: DiagnosticsEvent[] = [];
        const note = (event: unknown) => events.push(event as DiagnosticsEvent);
        let isCalled = false;
        const verify = () => (isCalled = true);
        subscribe('crm-oauth2', note);
        try {
          const outcome = await arrive({ verify }, answers);
          expect(refusalOf(outcome)).to.deep.equal({
            code: 'organization_not_allowed',
            message: `acme: the person is of ${title === 'none' ? 'no organization' : 'the organization org-2'}`,
            status: 403,
          });
          expect(Reflect.get(outcome.values[0] as object, 'hint')).to.include(
            '`allowedOrganizations`',
          );
        } finally {
          unsubscribe('crm-oauth2', note);
        }
        expect(isCalled).to.equal(false);
        expect(events.at(-1)).to.include({
          event: 'login.ended',
          outcome: 'fail',
          code: 'organization_not_allowed',
        });
      });
    }

    it('the tokens decide where the profile is skipped', async () => {
      const skipUserProfile = true;
      const allowed = await arrive({ skipUserProfile }, { tokens: { organization: 'org-1' } });
      expect(allowed.verb).to.equal('success');
      const other = await arrive({ skipUserProfile }, { tokens: { organization: 'org-2' } });
      expect(refusalOf(other).message).to.equal('acme: the person is of the organization org-2');
      const none = await arrive({ skipUserProfile }, {});
      expect(refusalOf(none).message).to.equal('acme: the person is of no organization');
    });

    it('everyone signs in without the option', async () => {
      answer({ profile: { organization: 'org-2' } });
      const { user } = await signIn(make({ clientID: 'client-1' }));
      expect(user.profile).to.include({ organization: 'org-2' });
    });
  });
});
