// What stands first on the wall. The server sends cases in this order already; live changes have to keep it.

import type { Alarm, AlarmState, Case, Level } from './types';

export const LEVELS: readonly Level[] = ['red', 'orange', 'yellow', 'blue'];
const RANK: Record<Level, number> = { red: 3, orange: 2, yellow: 1, blue: 0 };

/** Higher is more. */
export function rank(level: Level): number {
  return RANK[level];
}

/** An operator has still to see it. */
export function needsAcknowledgement(state: AlarmState): boolean {
  return state === 'unacknowledged' || state === 'returned-unacknowledged' || state === 'latched-unacknowledged';
}

/** Active, latched or faulted: the cause is not gone. */
export function isStanding(state: AlarmState): boolean {
  return state !== 'normal' && state !== 'returned-unacknowledged';
}

export function isLatched(state: AlarmState): boolean {
  return state === 'latched-unacknowledged' || state === 'latched-acknowledged';
}

/** Unanswered first, then red to blue, then newest; the id settles ties so that cards never swap places. */
export function byUrgency(a: Case, b: Case): number {
  return Number(a.answered) - Number(b.answered) || rank(b.level) - rank(a.level) || b.opened - a.opened || (a.id < b.id ? -1 : 1);
}

/** Unacknowledged first, then standing before returned, then red to blue, then newest. */
export function byAlarmUrgency(a: Alarm, b: Alarm): number {
  return (
    Number(needsAcknowledgement(b.state)) - Number(needsAcknowledgement(a.state)) ||
    Number(isStanding(b.state)) - Number(isStanding(a.state)) ||
    rank(b.level) - rank(a.level) ||
    b.since - a.since ||
    (alarmKey(a) < alarmKey(b) ? -1 : 1)
  );
}

/** What stands comes before what has returned, however red that was; then red to blue, unacknowledged first, newest. */
export function byWeight(a: Alarm, b: Alarm): number {
  return (
    Number(isStanding(b.state)) - Number(isStanding(a.state)) ||
    rank(b.level) - rank(a.level) ||
    Number(needsAcknowledgement(b.state)) - Number(needsAcknowledgement(a.state)) ||
    b.since - a.since
  );
}

/** One row per condition and tag: an alarm's new episode replaces the old one. */
export function alarmKey(alarm: { tag: string; condition: string }): string {
  return `${alarm.condition}@${alarm.tag}`;
}

/** The tag as written on the drawings, without its enterprise. */
export function tagName(tag: string): string {
  const slash = tag.indexOf('/');
  return slash < 0 ? tag : tag.slice(slash + 1);
}
