// A small invented county for the mock server: a few cases at different steps, and as many tags and alarms as a test asks for.

const MINUTE = 60_000;
export const TIERS = [
  { tier: 0, zh: '企业', en: 'Enterprise' },
  { tier: 1, zh: '镇街/园区', en: 'Township/park' },
  { tier: 2, zh: '区县', en: 'County' },
];
const ENTERPRISES = ['溪口化工', '莫干精细化工', '下渚新材料', '钟管石化储运', '禹越气体', '新市助剂'];
export const CONDITION_ZH = {
  'high-high': '高高报',
  high: '高报',
  low: '低报',
  'low-low': '低低报',
  'gateway-lost': '网关失联',
  stale: '断数',
};
const CONDITION_EN = {
  'high-high': 'high-high',
  high: 'high',
  low: 'low',
  'low-low': 'low-low',
  'gateway-lost': 'gateway lost',
  stale: 'no data',
};
const TIER_BODIES = ['', '德北化工园区管委会', '德溪县应急管理局'];

export const USERS = {
  operator: { password: 'watch', person: 'op-chen', name: '陈志强', role: 'enterprise', body: 'e0', body_name: ENTERPRISES[0], tier: 0 },
  township: { password: 'watch', person: 'tw-lu', name: '陆敏', role: 'township', body: 'park1', body_name: TIER_BODIES[1], tier: 1 },
  county: { password: 'watch', person: 'ct-shen', name: '沈国华', role: 'county', body: 'county', body_name: TIER_BODIES[2], tier: 2 },
  admin: { password: 'watch', person: 'ad-wu', name: '吴工', role: 'admin', body: 'county', body_name: TIER_BODIES[2], tier: null },
};

const KINDS = [
  ['LIA', '储罐液位', 'level', '液位', '%', 1, [0, 100], { low_low: 5, low: 10, high: 80, high_high: 90 }, 55],
  ['TIA', '储罐温度', 'temperature', '温度', '℃', 1, [-20, 120], { low_low: null, low: null, high: 40, high_high: 50 }, 24],
  ['PIA', '储罐压力', 'pressure', '压力', 'kPa', 2, [0, 10], { low_low: null, low: 0.2, high: 2, high_high: 3 }, 1.1],
  ['GT', '可燃气体', 'combustible', '可燃气体', '%LEL', 1, [0, 100], { low_low: null, low: null, high: 25, high_high: 50 }, 1],
  ['GT', '有毒气体', 'toxic', '有毒气体', 'ppm', 1, [0, 50], { low_low: null, low: null, high: 10, high_high: 20 }, 0],
  ['XS', '静电接地', 'static-earthing', '静电接地', '', 0, null, { low_low: null, low: null, high: null, high_high: null }, 0],
];

export function makeTags(count, now) {
  return Array.from({ length: count }, (_, n) => {
    const [prefix, name, signal, signal_zh, unit, decimals, range, limits, value] = KINDS[n % KINDS.length];
    const e = Math.floor(n / KINDS.length) % ENTERPRISES.length;
    const unitNumber = Math.floor(n / (KINDS.length * ENTERPRISES.length)) + 1;
    return {
      tag: `e${e}/${prefix}-${100 + unitNumber}${signal === 'toxic' ? 'T' : ''}`,
      enterprise: `e${e}`,
      enterprise_name: ENTERPRISES[e],
      name: `V-${100 + unitNumber} ${name}`,
      signal,
      signal_zh,
      unit,
      decimals,
      equipment: `V-${100 + unitNumber}`,
      equipment_name: `甲类罐区V-${100 + unitNumber}`,
      gateway: `gw${e}`,
      range,
      labels: signal === 'static-earthing' ? ['接地良好', '接地断开'] : null,
      basis: '',
      limits,
      limits_in_force: limits,
      mode: null,
      suppressed: [],
      value: n % 97 === 96 ? null : value,
      quality: n % 97 === 96 ? 'bad' : n % 89 === 88 ? 'uncertain' : 'good',
      source_time: now - 2_000,
      receive_time: now - 1_900,
      in_service: true,
      worst: null,
    };
  });
}

/** One case with one announcement per line `[tag number, condition, level, value, setpoint, minutes ago]`. */
export function makeCase(tags, now, number, level, step, lines, more = {}) {
  const first = tags[lines[0][0]];
  const announcements = lines.map(([at, condition, lineLevel, value, setpoint, ago]) => {
    const tag = tags[at];
    const announced = now - ago * MINUTE;
    const signDue = { red: 3, orange: 5, yellow: 10, blue: 30 }[lineLevel] * MINUTE;
    const shown = value === null ? '' : `${value.toFixed(tag.decimals)} ${tag.unit}`;
    const name = tag.tag.split('/')[1];
    return {
      key: { alarm: { tag: tag.tag, condition }, episode: { since: (announced - 3_000) * 1000 }, step: 0 },
      text_zh: `${name} ${tag.name} ${CONDITION_ZH[condition]} ${shown} (限 ${setpoint})`,
      text_en: `${name} ${tag.name} ${CONDITION_EN[condition]} ${shown} (limit ${setpoint})`,
      tag: tag.tag,
      tag_name: tag.name,
      condition,
      level: lineLevel,
      at: announced,
      raised_at: announced - 3_000,
      value,
      setpoint,
      unit: tag.unit,
      rationale:
        condition === 'high-high'
          ? { cause: '收料超量或进错罐', consequence: '冒罐溢流,着火或中毒', response: '停止进料,倒入备用罐', respond_within_s: 600 }
          : null,
      late: false,
      folded: 0,
      sign_by: announced + signDue,
      sign_missed: signDue < ago * MINUTE,
      reminded: 0,
      signed: [],
      told: [{ tier: 0, at: announced }],
    };
  });
  const told = level === 'red' || step === 'overdue' ? [0, 1, 2] : [0];
  for (const a of announcements) a.told = told.map((tier) => ({ tier, at: a.at + tier * 400 }));
  const opened = now - lines[0][5] * MINUTE;
  return {
    id: `${lines[0][1]}@${first.tag}!${(opened - 3_000) * 1000}/0`,
    number,
    enterprise: first.enterprise,
    enterprise_name: first.enterprise_name,
    equipment: first.equipment,
    equipment_name: first.equipment_name,
    level,
    step: step === 'overdue' ? 'notified' : step,
    opened,
    closed: null,
    handle_by: opened + { red: 30, orange: 60, yellow: 120, blue: 240 }[level] * MINUTE,
    supervised: false,
    returned_count: 0,
    announcements,
    episodes: announcements.map((a) => ({
      alarm: a.key.alarm,
      episode: a.key.episode,
      condition_zh: CONDITION_ZH[a.condition],
      level: a.level,
      state: 'unacknowledged',
      outcome: null,
    })),
    tiers: told.map((tier) => ({
      tier,
      body: `b${tier}`,
      body_name: TIER_BODIES[tier] || first.enterprise_name,
      told: opened + tier * 400,
      reached: tier === 0 ? opened + 1_500 : opened + 2_500,
      passed: false,
    })),
    next: { at: now + 42_000, what: told.length === 3 ? 'remind' : 'tell', tier: told.length === 3 ? 0 : 1 },
    timeline: [
      { at: opened, kind: 'opened', text_zh: '开单', text_en: 'Opened', person: null, name: null, tier: null, comment: null, late: false },
      ...told.map((tier) => ({
        at: opened + tier * 400,
        kind: 'told',
        text_zh: `已通知${TIERS[tier].zh}：短信、平台`,
        text_en: `${TIERS[tier].en} told by SMS and platform`,
        person: null,
        name: null,
        tier,
        comment: null,
        late: false,
      })),
    ],
    ...more,
  };
}

export function makeMessages(cases) {
  const people = [
    { person: 'op-chen', name: '陈志强', body_name: ENTERPRISES[0], tier: 0, duty_phone: false, phone: '138****0001' },
    { person: 'op-li', name: '李桂芳', body_name: ENTERPRISES[0], tier: 0, duty_phone: false, phone: '138****0002' },
    { person: 'duty-e0', name: '溪口化工值班电话', body_name: ENTERPRISES[0], tier: 0, duty_phone: true, phone: '0572****110' },
    { person: 'tw-lu', name: '陆敏', body_name: TIER_BODIES[1], tier: 1, duty_phone: false, phone: '138****0003' },
    { person: 'ct-shen', name: '沈国华', body_name: TIER_BODIES[2], tier: 2, duty_phone: false, phone: '138****0004' },
  ];
  const messages = [];
  for (const c of cases) {
    const a = c.announcements[0];
    for (const { tier, at } of a.told) {
      const to = people.filter((p) => p.tier === tier && !p.duty_phone);
      for (const [n, p] of to.entries()) {
        for (const [channel, kind] of [
          ['sms', 'sms'],
          ['voice', 'voice'],
        ]) {
          if (kind === 'voice' && (n > 0 || c.level !== 'red')) continue;
          messages.push({
            key: `${c.id}|${a.condition}|${tier}|announce|${p.person}|${channel}|0`,
            case: c.id,
            case_number: c.number,
            person: p.person,
            channel,
            channel_kind: kind,
            purpose: 'announce',
            level: c.level,
            at: at + 300,
            words: `【演示】【烽燧】${{ red: '红', orange: '橙', yellow: '黄', blue: '蓝' }[c.level]}色预警:${c.enterprise_name}${c.equipment_name}${a.tag_name}${CONDITION_ZH[a.condition]},${a.key.alarm.tag.split('/')[1]}现${a.value}${a.unit}(限${a.setpoint}),请尽快签收,单号${c.number}`,
            status: kind === 'voice' ? 'failed' : n === 1 ? 'retrying' : 'delivered',
            answer: kind === 'voice' ? '无人接听' : n === 1 ? 'no answer within 10 s' : null,
            answer_zh: kind === 'voice' ? '无人接听' : n === 1 ? '网关 10 s 内没有回答' : '',
            answer_en: kind === 'voice' ? '无人接听' : n === 1 ? 'no answer within 10 s' : '',
            attempts: n === 1 ? 2 : 1,
            answered: c.announcements[0].signed.some((s) => s.tier === tier),
            repeat: 0,
          });
        }
      }
    }
  }
  return { people, messages };
}

/** A past that was never measured: a slow wave with a peak, a pause, some bad readings and a recorded gap. */
export function makeHistory(tag, from, to, count) {
  const step = (to - from) / count;
  const middle = tag.value ?? 0;
  const points = Array.from({ length: count }, (_, at) => {
    const bad = at > count * 0.3 && at < count * 0.32;
    const value = middle * (1 + 0.08 * Math.sin((at / count) * 9) + (Math.abs(at - count * 0.75) < count * 0.02 ? 0.5 : 0));
    const [min, max, last] = bad ? [null, null, null] : [value * 0.985, value * 1.015, value];
    return { from: Math.round(from + at * step), to: Math.round(from + (at + 0.8) * step), count: 60, bad: bad ? 60 : 0, min, max, last };
  });
  const shown = points.filter((_, at) => at < count * 0.5 || at > count * 0.56);
  const gap = { from: from + step * count * 0.5, to: from + step * count * 0.56, lost: 812, why: 'crash', why_zh: '异常中断' };
  return { tag: tag.tag, from, to, points: shown, gaps: [gap], damaged: 0 };
}

/** Windows as people would have filed them. */
export function makeWindows(now) {
  const window = (id, kind, scope, more) => ({
    id,
    kind,
    enterprise: 'e0',
    enterprise_name: '溪口化工',
    scope_zh: scope,
    scope_en: scope,
    reason: '季度标定',
    reference: kind === 'shelved' ? '' : 'JX-2024-1125-03',
    owner: 'op-li',
    owner_name: '李桂芳',
    filed: now - 600_000,
    until: now + 4_200_000,
    in_force: true,
    needs: null,
    needs_tier: null,
    confirmed_by: null,
    confirmed: null,
    held: 0,
    ...more,
  });
  return [
    window('w1', 'under-test', '液氨罐区北(全部位号)', { in_force: false, needs: 'second-person', acts: ['confirm-window', 'end-test'] }),
    window('w2', 'under-test', 'TIA-101、PIA-203', { held: 3, confirmed_by: '王志远', acts: ['end-test'] }),
    window('w3', 'shelved', 'GT-205 氨检测器 高高报', {
      in_force: false,
      needs: 'tier-above',
      needs_tier: 1,
      until: now + 540_000,
      acts: ['unshelve'],
    }),
    window('w5', 'shelved', 'TIA-101 V-101 储罐温度 高高报', { reason: '换探头', acts: ['unshelve'] }),
    window('w4', 'out-of-service', 'P-101A/B', {
      held: 1,
      reason: '机封更换',
      reference: 'TY-0031',
      until: now + 86_400_000,
      acts: ['back-in-service'],
    }),
  ];
}
