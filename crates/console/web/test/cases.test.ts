import { describe, expect, it } from 'vitest';
import { accept, acknowledge, close, collapsed, fieldCheckNeeded, isGasSignal, obstacles } from '../src/lib/cases';
import type { AlarmState, CaseEpisode } from '../src/lib/types';
import { aCase, announcement, signature } from './build';

function episode(tag: string, state: AlarmState): CaseEpisode {
  return {
    alarm: { tag, condition: 'high' },
    episode: { since: 1_000_000, count: 1 },
    condition_zh: '高报',
    level: 'blue',
    state,
    outcome: null,
  };
}
const gasOnly = (tag: string): boolean => tag.includes('GT');

describe('episodes that read the same', () => {
  it('are one line with their number, and one that differs is a line of its own', () => {
    const one = (since: number, state: string) =>
      ({ alarm: { tag: 'hx/A', condition: 'high' }, episode: { since }, state, outcome: null }) as unknown as CaseEpisode;
    const lines = collapsed([one(1, 'returned-unacknowledged'), one(2, 'returned-unacknowledged'), one(3, 'unacknowledged')]);
    expect(lines.map(({ episode, times }) => [episode.episode.since, times])).toEqual([
      [2, 2],
      [3, 1],
    ]);
  });
});

describe('what a press sends', () => {
  it('signs only what this tier has not signed, by the keys as received', () => {
    const signed = announcement({ signed: [signature(0)] });
    const open = announcement({ key: { alarm: { tag: 'e0/GT-1', condition: 'high' }, episode: { since: 7, count: 2 }, step: 0 } });
    expect(accept(aCase({ id: 'c', announcements: [signed, open] }), 0)).toEqual({ act: 'accept', case: 'c', announcements: [open.key] });
  });

  it('acknowledges only what still has to be seen', () => {
    const episodes = [episode('e0/A', 'unacknowledged'), episode('e0/B', 'acknowledged'), episode('e0/C', 'returned-unacknowledged')];
    expect(acknowledge(aCase({ episodes }))).toEqual({
      act: 'acknowledge',
      episodes: [
        { alarm: { tag: 'e0/A', condition: 'high' }, episode: { since: 1_000_000, count: 1 } },
        { alarm: { tag: 'e0/C', condition: 'high' }, episode: { since: 1_000_000, count: 1 } },
      ],
    });
  });

  it('closes with every announcement shown, signed ones too', () => {
    const c = aCase({ announcements: [announcement({ signed: [signature(0)] }), announcement()] });
    expect(close(c, '好')).toMatchObject({ act: 'close', announcements: c.announcements.map((a) => a.key), comment: '好' });
  });
});

describe('what stands before 办结', () => {
  it('is named, and is nothing once all is signed, seen, checked and returned', () => {
    const unseen = episode('e0/A', 'returned-unacknowledged');
    const latched = episode('e0/B', 'latched-acknowledged');
    const active = episode('e0/C', 'acknowledged');
    expect(obstacles(aCase({ episodes: [unseen, latched, active] })).map(({ what, n }) => `${n} ${what}`)).toEqual([
      '1 unsigned',
      '1 unseen',
      '3 unchecked',
      '1 latched',
      '1 standing',
    ]);
    const done: CaseEpisode = { ...episode('e0/A', 'normal'), outcome: { outcome: 'real', zh: '真实报警', person: 'p', name: 'p', at: 1 } };
    expect(obstacles(aCase({ episodes: [done], announcements: [announcement({ signed: [signature(0)] })] }))).toEqual([]);
  });
});

describe('the field check', () => {
  it('is wanted for gas called false', () => {
    expect(fieldCheckNeeded([episode('e0/GT-1', 'acknowledged')], 'false', gasOnly)).toBe(true);
    expect(fieldCheckNeeded([episode('e0/GT-1', 'acknowledged')], 'real', gasOnly)).toBe(false);
    expect(fieldCheckNeeded([episode('e0/LIA-1', 'acknowledged')], 'false', gasOnly)).toBe(false);
  });

  it('is wanted for whatever is latched, with any outcome', () => {
    expect(fieldCheckNeeded([episode('e0/LIA-1', 'latched-acknowledged')], 'real', gasOnly)).toBe(true);
  });

  it('counts oxygen among the gases', () => {
    expect(['combustible', 'toxic', 'oxygen', 'level', undefined].map(isGasSignal)).toEqual([true, true, true, false, false]);
  });
});
