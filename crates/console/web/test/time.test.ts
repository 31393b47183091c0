import { describe, expect, it } from 'vitest';
import { civil, dated, fromLocalInput, isLost, obligation, ServerClock, span, stamp, toLocalInput } from '../src/lib/time';
import { aCase, announcement, signature } from './build';

const CHINA = 28_800_000;
const AT = Date.UTC(2026, 10, 24, 6, 5, 9);

describe('the engine’s clock', () => {
  it('carries the last stamp on by this machine’s own ticking, whatever this machine’s date', () => {
    const clock = new ServerClock();
    expect(clock.now(50)).toBeNull();
    clock.hear(1_000_000, 50);
    expect(clock.now(1_050)).toBe(1_001_000);
  });

  it('learns that a demonstration runs faster', () => {
    const clock = new ServerClock();
    clock.factor = 10;
    clock.hear(1_000_000, 0);
    clock.hear(1_050_000, 5_000);
    expect(clock.now(6_000)).toBe(1_060_000);
  });

  it('keeps real time where only the policy is hurried, and where the clock jumps', () => {
    const clock = new ServerClock();
    clock.factor = 10;
    clock.hear(1_000_000, 0);
    clock.hear(1_005_000, 5_000);
    expect(clock.now(6_000)).toBe(1_006_000);
    clock.hear(4_605_000, 10_000);
    expect(clock.now(11_000)).toBe(4_606_000);
  });

  it('takes a jittery network for what it is', () => {
    const clock = new ServerClock();
    clock.hear(1_000_000, 0);
    clock.hear(1_005_000, 5_300);
    expect(clock.now(6_300)).toBe(1_006_000);
  });
});

describe('countdown', () => {
  it('reads as minutes and seconds, and as hours from an hour on', () => {
    expect(span(0)).toBe('0:00');
    expect(span(179_999)).toBe('2:59');
    expect(span(-122_000)).toBe('2:02');
    expect(span(3_723_000)).toBe('1:02:03');
  });

  it('is the earliest unsigned 签收 of the enterprise, and stays on it when overdue', () => {
    const late = announcement({ sign_by: 100 });
    const early = announcement({ sign_by: 50 });
    const next = { at: 70, what: 'remind' as const, tier: 0 };
    expect(obligation(aCase({ announcements: [late, early], next }))).toEqual({ what: 'sign', at: 50, tier: 0 });
  });

  it('is not satisfied by an upper tier’s 签收', () => {
    expect(obligation(aCase({ announcements: [announcement({ signed: [signature(2)] })] }))?.what).toBe('sign');
  });

  it('turns to the handling deadline once signed, and to the next timer once reported', () => {
    const announcements = [announcement({ signed: [signature(0)] })];
    const next = { at: 70, what: 'remind' as const, tier: 1 };
    expect(obligation(aCase({ announcements, next, step: 'accepted' }))).toEqual({ what: 'handle', at: 3_601_000, tier: 0 });
    expect(obligation(aCase({ announcements, next, step: 'returned' }))?.what).toBe('handle');
    expect(obligation(aCase({ announcements, next, step: 'reported' }))).toEqual(next);
  });

  it('ends with the case', () => {
    expect(obligation(aCase({ closed: 9 }))).toBeNull();
  });
});

describe('civil time', () => {
  it('is the plant’s, and names the day when it is not today', () => {
    expect(civil(AT, CHINA)).toMatchObject({ date: '2026-11-24', time: '14:05:09', short: '14:05' });
    expect(stamp(AT, AT + 1_000, CHINA)).toBe('14:05:09');
    expect(stamp(AT, AT + 86_400_000, CHINA)).toBe('11-24 14:05');
    expect(dated(AT, AT + 1_000, CHINA)).toBe('14:05:09');
    expect(dated(AT, AT + 86_400_000, CHINA)).toBe('2026-11-24 14:05');
  });

  it('survives the way through an input field', () => {
    expect(toLocalInput(AT, CHINA)).toBe('2026-11-24T14:05');
    expect(fromLocalInput('2026-11-24T14:05', CHINA)).toBe(AT - 9_000);
    expect(fromLocalInput('', CHINA)).toBeNull();
  });
});

describe('connection', () => {
  it('is lost after two missed heartbeats', () => {
    expect(isLost(0, 10_000)).toBe(false);
    expect(isLost(0, 10_001)).toBe(true);
  });
});
