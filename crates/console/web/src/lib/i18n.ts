// Every word the pages say, in both languages. `en` has exactly the keys of `zh`: the compiler and a test hold it to that.

import { en } from './words/en';
import { type Key, zh } from './words/zh';

export type { Key };
export type Lang = 'zh' | 'en';

export const TABLES: Record<Lang, Record<Key, string>> = { zh, en };

export type Params = Record<string, string | number>;

/** The words of `key` with `{name}` replaced from `params`. */
export function say(lang: Lang, key: Key, params?: Params): string {
  const words: string = TABLES[lang][key];
  if (params === undefined) return words;
  return words.replace(/\{(\w+)\}/g, (whole, name: string) => String(params[name] ?? whole));
}

/** A word the server named, such as a condition: ours if we have it, otherwise what the server calls it. */
export function sayOr(lang: Lang, key: string, fallback: string): string {
  return key in zh ? TABLES[lang][key as Key] : fallback;
}
