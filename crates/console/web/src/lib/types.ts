// What the API sends, as far as these pages read it. Times are epoch milliseconds, except inside keys (episode.since), which
// are the engine's microseconds and are only ever sent back as received.

export type Level = 'blue' | 'yellow' | 'orange' | 'red';
export type Quality = 'good' | 'uncertain' | 'bad';
export type Role = 'enterprise' | 'township' | 'county' | 'admin';
export type CaseStep = 'opened' | 'notified' | 'accepted' | 'checked' | 'handling' | 'reported' | 'reviewed' | 'returned' | 'closed';
export type AlarmState =
  | 'normal'
  | 'unacknowledged'
  | 'acknowledged'
  | 'returned-unacknowledged'
  | 'latched-unacknowledged'
  | 'latched-acknowledged'
  | 'faulted';
export type Outcome = 'real' | 'process-upset' | 'instrument-fault' | 'false' | 'calibration' | 'communication' | 'drill';
/** Acts a case may offer; `silence` is this console's own and is never in that list. */
export type CaseAct =
  | 'acknowledge'
  | 'accept'
  | 'check'
  | 'handle'
  | 'report'
  | 'review'
  | 'return'
  | 'close'
  | 'remind'
  | 'supervise'
  | 'reset-siren';
export type WindowKind = 'shelved' | 'out-of-service' | 'under-test';
export type WindowAct = 'confirm-window' | 'unshelve' | 'back-in-service' | 'end-test';

export interface Me {
  person: string;
  name: string;
  username: string;
  role: Role;
  body: string | null;
  body_name: string | null;
  tier: number | null;
}
export interface AlarmId {
  tag: string;
  condition: string;
}
export interface Episode {
  since: number;
  count?: number;
}
export interface EpisodeRef {
  alarm: AlarmId;
  episode: Episode;
}
export interface TransitionKey extends EpisodeRef {
  step: number;
}
export interface TierName {
  tier: number;
  zh: string;
  en: string;
}
export interface Overview {
  now: number;
  seq: number;
  demo: boolean;
  time_factor: number;
  scene: string | null;
  link: { source: string; up: boolean; since: number }[];
  counts: Record<Level, number>;
  unanswered: number;
  /** Without the explained ones. */
  standing_alarms: number;
  /** Standing, but told only as what their gateway's alarm explains. */
  explained_alarms: number;
  /** Conditions suppressed by design now, and those of them that stand. */
  suppressed: number;
  suppressed_standing: number;
  tags: number;
  tags_bad: number;
  /** 搁置, 停用, 检维修, counted; `seq` changes with each change of one, of a flood or of a suppression by design. */
  windows?: { seq: number; shelved: number; out_of_service: number; under_test: number; waiting: number; held: number };
  /** Enterprises in a flood of alarms. */
  floods?: number;
  tiers: TierName[];
  utc_offset_ms: number;
}
/** What the rationalisation of a limit says; what is empty was not written. */
export interface Rationale {
  cause: string;
  consequence: string;
  response: string;
  respond_within_s: number | null;
}
export interface Announcement {
  key: TransitionKey;
  key_text?: string;
  text_zh: string;
  text_en: string;
  tag: string;
  tag_name: string;
  condition: string;
  level: Level;
  at: number;
  raised_at: number;
  value: number | null;
  setpoint: number | null;
  unit: string;
  rationale: Rationale | null;
  late: boolean;
  folded: number;
  sign_by: number;
  sign_missed: boolean;
  reminded: number;
  /** `enterprise` under test, `integrator` while 待调试. */
  audience?: 'nobody' | 'integrator' | 'enterprise' | 'everyone';
  signed: { tier: number; person: string; name: string; at: number }[];
  told: { tier: number; at: number }[];
}
export interface CaseEpisode extends EpisodeRef {
  condition_zh: string;
  level: Level;
  state: AlarmState;
  outcome: null | { outcome: Outcome; zh: string; person: string; name: string; at: number };
}
export interface TierProgress {
  tier: number;
  body: string;
  body_name: string;
  told: number | null;
  reached: number | null;
  passed: boolean;
}
export interface NextDue {
  at: number;
  what: 'tell' | 'sign' | 'remind' | 'handle' | 'wait';
  tier: number | null;
}
export interface TimelineEntry {
  at: number;
  kind: string;
  text_zh: string;
  text_en: string;
  person: string | null;
  name: string | null;
  tier: number | null;
  comment: string | null;
  late: boolean;
}
export interface Case {
  id: string;
  number: string;
  enterprise: string;
  enterprise_name: string;
  equipment: string;
  equipment_name: string;
  level: Level;
  step: CaseStep;
  opened: number;
  closed: number | null;
  handle_by: number | null;
  answered: boolean;
  supervised: boolean;
  returned_count: number;
  announcements: Announcement[];
  episodes: CaseEpisode[];
  tiers: TierProgress[];
  /** 首出. */
  first_out?: AlarmId | null;
  next: NextDue | null;
  acts: CaseAct[];
  timeline?: TimelineEntry[];
}
/** What stands beside an alarm's state; absent means no. */
export interface Marks {
  under_test?: boolean;
  shelved?: boolean;
  out_of_service?: boolean;
  commissioning?: boolean;
  first_out?: boolean;
  /** 设计抑制 now. */
  suppressed?: boolean;
  /** Raises told to nobody since the present or last suppression by design began. */
  untold?: number;
  chattering?: number;
  acknowledgement_expired?: number;
}
/** What suppresses a condition by design: a calculated tag that is 1, or the operating mode of that name. */
export interface SuppressedBy {
  tag: string | null;
  name: string;
}
/** A condition suppressed by design now, raised or not. */
export interface Suppressed {
  tag: string;
  tag_name: string;
  condition: string;
  condition_zh: string;
  level: Level;
  state: AlarmState;
  enterprise_name: string;
  equipment_name: string;
  /** Null where it began before the engine's last start. */
  since: number | null;
  untold: number;
  by: SuppressedBy[];
}
export type Scope =
  | { of: 'alarms'; alarms: AlarmId[] }
  | { of: 'tags'; tags: string[] }
  | { of: 'area'; enterprise: string; equipment: string }
  | { of: 'gateway'; enterprise: string; gateway: string };
export interface Window {
  id: string;
  kind: WindowKind;
  enterprise: string;
  enterprise_name: string;
  scope_zh: string;
  scope_en: string;
  reason: string;
  reference: string;
  owner_name: string;
  filed: number;
  until: number;
  in_force: boolean;
  needs_tier: number | null;
  confirmed_by: string | null;
  held: number;
  acts: WindowAct[];
}
export interface Beside {
  windows: Window[];
  floods: { enterprise: string; enterprise_name: string; since: number; count: number }[];
  commissioning: { enterprise: string; enterprise_name: string; integrator: string; until: number; overdue: boolean; tags: number }[];
  suppressed: Suppressed[];
}
export interface Alarm {
  tag: string;
  condition: string;
  condition_zh: string;
  level: Level;
  state: AlarmState;
  since: number;
  value: number | null;
  setpoint: number | null;
  unit: string;
  rationale: Rationale | null;
  late: boolean;
  episode: Episode;
  marks?: Marks;
  suppressed_by?: SuppressedBy[];
  case: string | null;
  /** False: held, suppressed by design or explained by its gateway, and nobody was told of it by itself. */
  told: boolean;
  /** The tag of the gateway it arrives through. */
  gateway: string | null;
  enterprise_name: string;
  equipment_name: string;
  tag_name: string;
}
export interface Limits {
  low_low: number | null;
  low: number | null;
  high: number | null;
  high_high: number | null;
}
export interface Tag {
  tag: string;
  enterprise: string;
  enterprise_name: string;
  name: string;
  signal: string;
  signal_zh: string;
  unit: string;
  decimals: number;
  equipment: string;
  equipment_name: string;
  gateway: string | null;
  range: [number, number] | null;
  labels: [string, string] | null;
  in_service: boolean;
  /** 设定依据 */
  basis: string;
  marks?: string[];
  /** As configured: those of the ordinary mode. */
  limits: Limits;
  /** Those by which it is judged now. */
  limits_in_force: Limits;
  /** The operating mode of its equipment; null where that has only one. */
  mode: { name: string; ordinary: boolean } | null;
  /** Its conditions suppressed by design now. */
  suppressed: string[];
  value: number | null;
  quality: Quality | null;
  source_time: number | null;
  receive_time: number | null;
  worst: { condition: string; level: Level; state: AlarmState } | null;
}
/** Some readings of a tag that follow one another. */
export interface HistoryPoint {
  from: number;
  to: number;
  count: number;
  bad: number;
  min: number | null;
  max: number | null;
  last: number | null;
}
/** A span of which readings are missing. */
export interface HistoryGap {
  from: number;
  to: number;
  lost: number | null;
  why: string;
  why_zh: string;
}
export interface History {
  now: number;
  tag: string;
  from: number;
  to: number;
  points: HistoryPoint[];
  gaps: HistoryGap[];
  damaged: number;
}
export interface Person {
  person: string;
  name: string;
  body_name: string;
  tier: number | null;
  duty_phone: boolean;
  phone: string | null;
}
/** Somebody who can be named as having gone. */
export interface NamedPerson {
  id: string;
  name: string;
  body: string;
  body_name: string;
}
export interface Message {
  key: string;
  case: string;
  case_number: string | null;
  person: string;
  channel: string;
  channel_kind: string | null;
  purpose: string;
  level: Level;
  at: number;
  words: string;
  status: 'waiting' | 'accepted' | 'delivered' | 'retrying' | 'failed' | 'superseded';
  answer: string | null;
  answer_zh: string;
  answer_en: string;
  attempts: number;
  answered: boolean;
  repeat: number;
}
export interface Siren {
  enterprise: string;
  enterprise_name: string;
  zone: string;
  sound: boolean;
  light: boolean;
  version: number;
  level: Level | null;
}
export interface QuarantineRow {
  source: string;
  topic: string;
  reason: string;
  text_zh: string;
  text_en: string;
  at: number;
  payload_hex: string;
  payload_text: string;
}
export interface Change {
  seq: number;
  cases?: Case[];
  alarms?: Alarm[];
  messages?: Message[];
  sirens?: Siren[];
  /** Tags whose mode, limits in force or suppression changed. */
  tags?: Tag[];
  overview?: Overview;
}
export type ValueRow = [tag: string, value: number | null, quality: Quality | null, source_time: number | null];

export interface FieldCheck {
  person: string;
  /** Microseconds: it goes into the engine as it is. */
  at: number;
  reading: number;
}
/** `model::ActKind` as it serialises. */
export type ActBody =
  | { act: 'silence'; console: string }
  | { act: 'acknowledge'; episodes: EpisodeRef[] }
  | { act: 'reset-siren'; enterprise: string; zone: string }
  | { act: 'accept'; case: string; announcements: TransitionKey[] }
  | {
      act: 'check';
      case: string;
      episodes: EpisodeRef[];
      outcome: Outcome;
      field: FieldCheck | null;
      comment: string;
    }
  | { act: 'handle' | 'report' | 'review' | 'return' | 'remind' | 'supervise'; case: string; comment: string }
  | { act: 'shelve'; scope: Scope; reason: string; until: number }
  | { act: 'out-of-service'; scope: Scope; reason: string; permit: string; until: number }
  | { act: 'begin-test'; scope: Scope; reason: string; ticket: string; until: number }
  | { act: WindowAct; window: string }
  | { act: 'close'; case: string; announcements: TransitionKey[]; comment: string };
export interface Reason {
  reason: string;
  text_zh?: string;
  text_en?: string;
}

/** A configuration that is or was in force. */
export interface ConfigVersion {
  version: string;
  since: number;
  author: string;
  ticket: string;
  reason: string;
  second: string | null;
  looser: number;
  tighter: number;
}

/** What a version changed when it came into force. */
export interface ConfigChange {
  version: ConfigVersion;
  before: string | null;
  /** `applied`, `taken-at-start`, `taken-without-ticket`; null where nothing is on record. */
  event: string | null;
  lines: PlanLine[];
  lines_left_off: number;
}

/** One thing a plan changes. */
export interface PlanLine {
  enterprise: string | null;
  tag: string | null;
  condition: string | null;
  condition_zh: string | null;
  of: string;
  item: string;
  item_zh: string;
  old_zh: string;
  new_zh: string;
  old_en: string;
  new_en: string;
  unit: string;
  direction: 'looser' | 'tighter' | 'unclear' | 'neutral';
  level: Level | null;
  needs_ticket: boolean;
}

/** What a plan does to what runs now. */
export interface PlanEffect {
  tag: string;
  condition: string;
  what: string;
  text_zh: string;
  text_en: string;
}

export interface PlacedNote {
  place: string;
  text_zh: string;
  text_en: string;
}

/** What a new configuration would change. */
export interface Plan {
  id: string;
  status: 'planned' | 'waiting' | 'applying' | 'applied' | 'stale' | 'declined' | 'refused';
  made: number;
  author: string;
  looser: number;
  tighter: number;
  needs_ticket: boolean;
  lines: PlanLine[];
  lines_left_off: number;
  effects: PlanEffect[];
  effects_left_off: number;
  faults: PlacedNote[];
  at_next_start: PlacedNote[];
  ticket: string;
  reason: string;
  second: string | null;
}
