// Small builders, so that a test names only what it is about.

import type { Alarm, Announcement, Case } from '../src/lib/types';

export function announcement(more: Partial<Announcement> = {}): Announcement {
  return {
    key: { alarm: { tag: 'e0/LIA-101', condition: 'high-high' }, episode: { since: 1_000_000 }, step: 0 },
    text_zh: '',
    text_en: '',
    tag: 'e0/LIA-101',
    tag_name: '',
    condition: 'high-high',
    level: 'orange',
    at: 1_000,
    raised_at: 1_000,
    value: 91.3,
    setpoint: 90,
    unit: '%',
    rationale: null,
    late: false,
    folded: 0,
    sign_by: 301_000,
    sign_missed: false,
    reminded: 0,
    signed: [],
    told: [{ tier: 0, at: 1_000 }],
    ...more,
  };
}

export function signature(tier: number): Announcement['signed'][number] {
  return { tier, person: `p${tier}`, name: `p${tier}`, at: 2_000 };
}

export function aCase(more: Partial<Case> = {}): Case {
  return {
    id: 'high-high@e0/LIA-101!1000000/0',
    number: '1124-01',
    enterprise: 'e0',
    enterprise_name: '',
    equipment: 'V-101',
    equipment_name: '',
    level: 'orange',
    step: 'notified',
    opened: 1_000,
    closed: null,
    handle_by: 3_601_000,
    answered: false,
    supervised: false,
    returned_count: 0,
    announcements: [announcement()],
    episodes: [],
    tiers: [],
    next: null,
    acts: [],
    ...more,
  };
}

export function anAlarm(more: Partial<Alarm> = {}): Alarm {
  return {
    tag: 'e0/LIA-101',
    condition: 'high',
    condition_zh: '高报',
    level: 'blue',
    state: 'unacknowledged',
    since: 1_000,
    value: 81,
    setpoint: 80,
    unit: '%',
    rationale: null,
    late: false,
    episode: { since: 1_000_000 },
    case: null,
    told: true,
    gateway: null,
    enterprise_name: '',
    equipment_name: '',
    tag_name: '',
    ...more,
  };
}
