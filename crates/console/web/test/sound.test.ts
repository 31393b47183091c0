import { describe, expect, it } from 'vitest';
import { silence, soundLevel, unanswered } from '../src/lib/sound';
import { aCase, anAlarm, announcement, signature } from './build';

const NOTHING = new Set<string>();

describe('what this console sounds', () => {
  it('sounds the highest level that nobody here has answered', () => {
    const red = aCase({ id: 'r', announcements: [announcement({ level: 'red' })] });
    const blue = aCase({ id: 'b', announcements: [announcement({ level: 'blue' })] });
    expect(soundLevel(unanswered([blue, red], [], 0), NOTHING)).toBe('red');
  });

  it('is quiet once the enterprise has signed and acknowledged, and not before', () => {
    const signed = aCase({ answered: true, announcements: [announcement({ signed: [signature(0)] })] });
    expect(soundLevel(unanswered([signed], [anAlarm({ state: 'unacknowledged' })], 0), NOTHING)).toBe('blue');
    expect(soundLevel(unanswered([signed], [anAlarm({ state: 'acknowledged' })], 0), NOTHING)).toBeNull();
  });

  it('goes on at the county after the enterprise has signed, until the county signs for itself', () => {
    const told = [
      { tier: 0, at: 1 },
      { tier: 2, at: 2 },
    ];
    const a = announcement({ level: 'red', told, signed: [signature(0)] });
    expect(soundLevel(unanswered([aCase({ announcements: [a] })], [], 2), NOTHING)).toBe('red');
    const both = { ...a, signed: [signature(0), signature(2)] };
    expect(soundLevel(unanswered([aCase({ announcements: [both] })], [], 2), NOTHING)).toBeNull();
  });

  it('does not call a tier that has not been told, nor an administrator, nor for a closed case', () => {
    expect(unanswered([aCase()], [], 1)).toEqual([]);
    expect(unanswered([aCase()], [anAlarm()], null)).toEqual([]);
    expect(unanswered([aCase({ closed: 9 })], [], 0)).toEqual([]);
    expect(unanswered([aCase({ answered: true })], [], 0)).toEqual([]);
  });

  it('leaves acknowledging to the enterprise: a county is not called by an alarm of its own accord', () => {
    expect(unanswered([], [anAlarm()], 2)).toEqual([]);
  });

  it('is not called by what nobody was told of: the gateway calls for all its tags', () => {
    expect(unanswered([], [anAlarm({ told: false })], 0)).toEqual([]);
  });

  it('sounds again for the next alarm after 消音, even one of a lower level', () => {
    const first = aCase({ announcements: [announcement({ level: 'red' })] });
    const silenced = silence(unanswered([first], [], 0));
    expect(soundLevel(unanswered([first], [], 0), silenced)).toBeNull();
    const key = { alarm: { tag: 'e0/TIA-101', condition: 'high' }, episode: { since: 5_000_000 }, step: 0 };
    const next = { ...first, announcements: [...first.announcements, announcement({ level: 'yellow', key })] };
    expect(soundLevel(unanswered([next], [], 0), silenced)).toBe('yellow');
  });

  it('sounds again when a silenced announcement is raised anew and folded in', () => {
    const first = aCase();
    const silenced = silence(unanswered([first], [], 0));
    const folded = aCase({ announcements: [announcement({ folded: 1 })] });
    expect(soundLevel(unanswered([folded], [], 0), silenced)).toBe('orange');
  });

  it('sounds again for a new episode of the same alarm', () => {
    const silenced = silence(unanswered([], [anAlarm()], 0));
    expect(soundLevel(unanswered([], [anAlarm({ episode: { since: 1_000_000, count: 1 } })], 0), silenced)).toBe('blue');
  });
});
