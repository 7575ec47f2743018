export interface RefusalEntry {
  section: string;
}
export const REFUSALS: RefusalEntry[] = [];
