/** An exported cadence, as far as this example reads it, and its words. */

export interface Exported {
  data: { cadence_content: Content };
}

interface Content {
  settings?: { name?: string };
  step_groups?: { day: number; steps: { name: string; type: string }[] }[];
}

export function nameOf({ data }: Exported, number: number): string {
  return data.cadence_content.settings?.name ?? `Cadence ${number}`;
}

/** The request that imports it. The copy belongs to the person who signs in, and is not shared. */
export function importOf({ data }: Exported, name: string) {
  return { ...data, settings: { name, shared: false } };
}

/** A line for each step: its day, its type and its name. */
export function stepsOf({ data }: Exported): string[] {
  const groups = data.cadence_content.step_groups ?? [];
  return groups.flatMap(({ day, steps }) =>
    steps.map(({ type, name }) => `day ${day}: ${type} ${quoted(name)}`),
  );
}

/** Escapes control characters, which a terminal would obey. */
export const quoted = (text: string) => JSON.stringify(text);
