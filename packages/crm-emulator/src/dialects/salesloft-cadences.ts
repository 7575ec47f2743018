/** The cadences of one Salesloft: a list in pages, and their exchange with another Salesloft. */
import type { EngineRequest } from '../engine-request.js';
import type { CompletePerson } from '../people.js';
import { ok, type Reply } from '../reply.js';
import { isObject, textOf } from '../values.js';

/** Named in links only; the emulator does not contact it. */
export const REAL_API_ORIGIN = 'https://api.salesloft.com';

const FIRST_ID = 1;
const COUNT = 50;
const FIRST_IMPORTED_ID = 9_001;
/** Each older cadence was changed a day before the next one. */
const DAY_MS = 24 * 3_600_000;
const NEWEST_MS = Date.UTC(2026, 3, 27, 11, 18, 23);

const DEFAULT_PER_PAGE = 25;
const MAX_PER_PAGE = 100;

type State = 'active' | 'draft' | 'archived';

interface Cadence {
  id: number;
  name: string;
  state: State;
  shared: boolean;
  /** ISO 8601. */
  updatedAt: string;
  /** Salesloft's id of the user. */
  owner: number;
  /** The days with steps, as they are exported. */
  stepGroups: unknown;
}

export class Cadences {
  /** The newest first. */
  readonly #all: Cadence[];

  constructor({ number: owner }: CompletePerson) {
    this.#all = Array.from({ length: COUNT }, (_, index) => ({
      id: FIRST_ID + index,
      name: `Cadence ${FIRST_ID + index}`,
      state: stateOf(index),
      shared: index % 2 === 1,
      updatedAt: new Date(NEWEST_MS - index * DAY_MS).toISOString(),
      owner,
      stepGroups: STEP_GROUPS,
    }));
  }

  /** As every list of this API: `data`, and where the page is in `metadata`. */
  list({ searchParams }: URL): Reply {
    const page = numberOf(searchParams, 'page', 1);
    const perPage = numberOf(searchParams, 'per_page', DEFAULT_PER_PAGE);
    const errors = {
      ...(page < 1 && { page: ['must be greater than 0'] }),
      ...((perPage < 1 || perPage > MAX_PER_PAGE) && {
        per_page: [`must be between 1 and ${MAX_PER_PAGE}`],
      }),
    };
    if (Object.keys(errors).length > 0) return { status: 422, body: { errors } };
    const start = (page - 1) * perPage;
    const total = this.#all.length;
    const isCounted = searchParams.get('include_paging_counts') === 'true';
    return ok({
      metadata: {
        filtering: {},
        paging: {
          per_page: perPage,
          current_page: page,
          next_page: start + perPage < total ? page + 1 : null,
          prev_page: page > 1 ? page - 1 : null,
          ...(isCounted && { total_pages: Math.ceil(total / perPage), total_count: total }),
        },
        sorting: { sort_by: 'updated_at', sort_direction: 'DESC NULLS LAST' },
      },
      data: this.#all.slice(start, start + perPage).map(listed),
    });
  }

  /** The content alone, without id and owner, so that another Salesloft can import it. */
  export(id: number): Reply {
    const cadence = this.#all.find((one) => one.id === id);
    if (!cadence) return { status: 404, body: { error: 'Not Found' } };
    const { name, shared, stepGroups } = cadence;
    return ok({
      data: {
        cadence_content: {
          settings: { name, target_daily_people: 10, remove_replied: true },
          sharing_settings: { team_cadence: false, shared },
          step_groups: stepGroups,
        },
      },
    });
  }

  /** The copy is a draft of the person who imports it. */
  import({ json: body }: EngineRequest, { number: owner }: CompletePerson): Reply {
    const content = isObject(body) ? body['cadence_content'] : undefined;
    const settings = isObject(body) && isObject(body['settings']) ? body['settings'] : {};
    const name = textOf(settings['name']);
    if (!isObject(content) || !name) {
      const errors = {
        ...(!isObject(content) && { cadence_content: ['must be an object'] }),
        ...(!name && { 'settings.name': ["can't be blank"] }),
      };
      return { status: 422, body: { errors } };
    }
    const id = Math.max(FIRST_IMPORTED_ID, ...this.#all.map((one) => one.id + 1));
    this.#all.unshift({
      id,
      name,
      state: 'draft',
      shared: settings['shared'] === true,
      updatedAt: new Date().toISOString(),
      owner,
      stepGroups: stepGroupsOf(content),
    });
    return ok({ data: { cadence: { id, name } } });
  }
}

const EMAIL_TEMPLATE = { title: 'Hello', subject: 'Hello', body: '<p>Hi</p>' };
const STEP = {
  enabled: true,
  name: 'Introduction',
  type: 'Email',
  type_settings: { email_template: EMAIL_TEMPLATE },
};
const STEP_GROUPS = [{ day: 1, automated: false, steps: [STEP] }];

/** The exported object, or the answer around it. */
function stepGroupsOf(content: Record<string, unknown>): unknown {
  const inner = content['cadence_content'];
  return (isObject(inner) ? inner : content)['step_groups'] ?? [];
}

function stateOf(index: number): State {
  if (index % 7 === 6) return 'archived';
  return index % 5 === 4 ? 'draft' : 'active';
}

/** Zero, which no parameter may be, stands for a value that is not a number. */
function numberOf(params: URLSearchParams, name: string, fallback: number): number {
  const value = params.get(name);
  if (value === null) return fallback;
  return /^\d{1,9}$/.test(value) ? Number(value) : 0;
}

const linkTo = (kind: string, id: number) => ({ id, _href: `${REAL_API_ORIGIN}/v2/${kind}/${id}` });

function listed({ id, name, state, shared, updatedAt, owner }: Cadence): Record<string, unknown> {
  return {
    id,
    created_at: updatedAt,
    updated_at: updatedAt,
    archived_at: state === 'archived' ? updatedAt : null,
    name,
    current_state: state,
    cadence_function: 'outbound',
    cadence_framework_id: null,
    external_identifier: null,
    draft: state === 'draft',
    shared,
    team_cadence: false,
    remove_bounces_enabled: true,
    remove_replies_enabled: true,
    opt_out_link_included: false,
    override_contact_restrictions: false,
    tags: [],
    creator: linkTo('users', owner),
    owner: linkTo('users', owner),
    added_stage: null,
    bounced_stage: null,
    finished_stage: null,
    replied_stage: null,
    cadence_priority: null,
    counts: {
      cadence_people: 0,
      people_acted_on_count: 0,
      target_daily_people: 10,
      opportunities_created: 0,
      meetings_booked: 0,
    },
  };
}
