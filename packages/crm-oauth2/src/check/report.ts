/** Prints the findings: for people, or as JSON. */
import { redact } from '../errors/redaction';
import type { Finding, Verdict } from './finding';
import { asMarkdown } from './login-report';
import type { LoginReport } from './login-report';

export interface Report {
  provider: string;
  title: string;
  /** Name and version. */
  package: string;
  findings: readonly Finding[];
  login?: LoginReport | undefined;
}

/** Characters in a line of the report. */
const WIDTH = 100;

const INDENT = 10;

export function wrongsOf({ findings }: Pick<Report, 'findings'>): number {
  return findings.filter(({ verdict }) => verdict === 'wrong').length;
}

/** @param secrets left out, although no finding should hold one */
export function asText(report: Report, secrets: readonly (string | undefined)[]): string {
  const { title, findings, login } = report;
  const lines = findings.flatMap(({ verdict, says, mend }) => [
    ...paragraph(verdict, says),
    ...(mend === undefined ? [] : paragraph('', `→ ${mend}`)),
  ]);
  const wrongs = wrongsOf(report);
  const parts = [
    `${title} (${report.package})`,
    lines.join('\n'),
    ...(login === undefined ? [] : [asMarkdown(login)]),
    [verdictOn(wrongs), unknownsOf(findings)].filter(Boolean).join(' '),
  ];
  return `${redact(parts.join('\n\n'), secrets)}\n`;
}

function verdictOn(wrongs: number): string {
  if (wrongs === 0) return 'Nothing is wrong.';
  return wrongs === 1 ? 'One thing is wrong.' : `${wrongs} things are wrong.`;
}

function unknownsOf(findings: readonly Finding[]): string {
  const unknowns = findings.filter(({ verdict }) => verdict === 'unknown').length;
  if (unknowns === 0) return '';
  return unknowns === 1 ? 'One thing was not checked.' : `${unknowns} things were not checked.`;
}

/** The verdict in front, and the words beside it, broken between words. */
function paragraph(verdict: Verdict | '', words: string): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of words.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (line !== '' && longer.length > WIDTH - INDENT) {
      lines.push(line);
      line = word;
    } else line = longer;
  }
  return [...lines, line].map((one, at) => `${(at === 0 ? verdict : '').padEnd(INDENT)}${one}`);
}

/** The report for machines. Its fields stay; further ones may come. */
export function asJson(report: Report, secrets: readonly (string | undefined)[]): string {
  const { provider, title, findings, login } = report;
  const json = {
    provider,
    title,
    package: report.package,
    wrong: wrongsOf(report),
    findings,
    login,
  };
  const redacted = JSON.stringify(
    json,
    (_, value: unknown) => (typeof value === 'string' ? redact(value, secrets) : value),
    2,
  );
  return `${redacted}\n`;
}
