/** The cadences of one Salesloft: a list in pages, and their exchange with another Salesloft. */
import type { EngineRequest } from '../engine-request.js';
import type { CompletePerson } from '../people.js';
import { ok, type Reply } from '../reply.js';
import { isObject, textOf } from '../values.js';

/** Named in links only; the emulator does not contact it. */
export const REAL_API_ORIGIN = 'https://api.salesloft.com';

const COUNT = 50;
const FIRST_IMPORTED_ID = 9_001;
/** Each older cadence was changed a day before the next one. */
const DAY_MS = 24 * 3_600_000;
const NEWEST_MS = Date.UTC(2026, 3, 27, 11, 18, 23);

const DEFAULT_PER_PAGE = 25;
const MAX_PER_PAGE = 100;

export class Cadences {
  /** As the API lists them, the newest first. */
  readonly #all: Listed[];
  /** The days with steps of the cadences that were imported, by id. */
  readonly #stepGroups = new Map<number, unknown>();

  constructor({ number: owner }: CompletePerson) {
    this.#all = Array.from({ length: COUNT }, (_, index) => {
      const id = index + 1;
      const at = new Date(NEWEST_MS - index * DAY_MS).toISOString();
      const draft = draftOf(owner, id, `Cadence ${id}`, at);
      return { ...draft, ...inState(stateOf(index), at), shared: index % 2 === 1 };
    });
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
      data: this.#all.slice(start, start + perPage),
    });
  }

  /** The content alone, without id and owner, so that another Salesloft can import it. */
  export(id: number): Reply {
    const cadence = this.#all.find((one) => one.id === id);
    if (!cadence) return { status: 404, body: { error: 'Not Found' } };
    const { name, shared } = cadence;
    return ok({
      data: {
        cadence_content: {
          settings: { name, target_daily_people: 10, remove_replied: true },
          sharing_settings: { team_cadence: false, shared },
          step_groups: this.#stepGroups.get(id) ?? STEP_GROUPS,
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
    const id = FIRST_IMPORTED_ID + this.#stepGroups.size;
    const draft = draftOf(owner, id, name, new Date().toISOString());
    this.#all.unshift({ ...draft, shared: settings['shared'] === true });
    this.#stepGroups.set(id, stepGroupsOf(content));
    return ok({ data: { cadence: { id, name } } });
  }
}

const STEP = {
  enabled: true,
  name: 'Introduction',
  type: 'Email',
  type_settings: { email_template: { title: 'Hello', subject: 'Hello', body: '<p>Hi</p>' } },
};
const STEP_GROUPS = [{ day: 1, automated: false, steps: [STEP] }];

/** The exported object, or the answer around it. */
function stepGroupsOf(content: Record<string, unknown>): unknown {
  const inner = content['cadence_content'];
  return (isObject(inner) ? inner : content)['step_groups'] ?? [];
}

type State = 'active' | 'draft' | 'archived';

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

const userLink = (id: number) => ({ id, _href: `${REAL_API_ORIGIN}/v2/users/${id}` });

const inState = (state: State, at: string) => ({
  current_state: state,
  draft: state === 'draft',
  archived_at: state === 'archived' ? at : null,
});

type Listed = ReturnType<typeof draftOf>;

/** A new cadence, as the API lists it. */
function draftOf(owner: number, id: number, name: string, at: string) {
  return {
    id,
    created_at: at,
    updated_at: at,
    name,
    ...inState('draft', at),
    cadence_function: 'outbound',
    cadence_framework_id: null,
    external_identifier: null,
    shared: false,
    team_cadence: false,
    remove_bounces_enabled: true,
    remove_replies_enabled: true,
    opt_out_link_included: false,
    override_contact_restrictions: false,
    tags: [],
    creator: userLink(owner),
    owner: userLink(owner),
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
