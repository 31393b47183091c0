import { describe, expect, it } from 'vitest';
import { type Key, say, sayOr, TABLES } from '../src/lib/i18n';
import { en } from '../src/lib/words/en';
import { zh } from '../src/lib/words/zh';

const names = (words: string): string[] => (words.match(/\{\w+\}/g) ?? []).sort();

describe('both languages', () => {
  it('have every key and no empty words', () => {
    expect(Object.keys(en).sort()).toEqual(Object.keys(zh).sort());
    for (const table of Object.values(TABLES)) for (const [key, words] of Object.entries(table)) expect(words.trim(), key).not.toBe('');
  });

  it('fill in the same names', () => {
    for (const key of Object.keys(zh) as Key[]) expect(names(en[key]), key).toEqual(names(zh[key]));
  });

  it('never speak of masking or switching off an alarm', () => {
    for (const words of Object.values(zh)) expect(words).not.toMatch(/屏蔽报警|关闭报警/);
    for (const words of Object.values(en)) expect(words.toLowerCase()).not.toMatch(/(mask|disable|close|switch off|turn off) (the )?alarm/);
  });

  it('keep the four acts apart', () => {
    const acts = ['act.silence', 'act.acknowledge', 'act.accept', 'act.reset-siren'] as const;
    for (const table of Object.values(TABLES)) expect(new Set(acts.map((act) => table[act])).size).toBe(4);
  });

  it('say a name they do not know as the server says it', () => {
    expect(say('zh', 'wall.more', { n: 3 })).toBe('还有 3 条');
    expect(sayOr('en', 'condition.high', '高报')).toBe('high');
    expect(sayOr('en', 'condition.unheard-of', '没听过的')).toBe('没听过的');
  });
});
