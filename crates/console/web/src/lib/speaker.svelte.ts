// The console's voice. What it says is decided in sound.ts; here is only how a level sounds.
//
// A browser lets a page sound only after the visitor pressed something, so the speaker starts closed and the page asks for
// that press. Levels differ in rhythm as well as pitch: a red one cannot be taken for a blue one through a wall.

import type { Level } from './types';

export type Voice = Level | 'lost';

/** One round of a voice: tones as [start s, length s, Hz], repeated every `every` seconds. */
const VOICES: Record<Voice, { every: number; tones: readonly (readonly [number, number, number])[] }> = {
  red: {
    every: 1,
    tones: [
      [0, 0.24, 960],
      [0.25, 0.24, 720],
      [0.5, 0.24, 960],
      [0.75, 0.24, 720],
    ],
  },
  orange: {
    every: 2,
    tones: [
      [0, 0.18, 800],
      [0.28, 0.18, 800],
      [0.56, 0.18, 800],
    ],
  },
  yellow: {
    every: 4,
    tones: [
      [0, 0.22, 620],
      [0.34, 0.22, 620],
    ],
  },
  blue: { every: 10, tones: [[0, 0.3, 480]] },
  lost: {
    every: 3,
    tones: [
      [0, 0.35, 330],
      [0.4, 0.5, 247],
    ],
  },
};

class Speaker {
  /** The browser lets us sound. */
  opened = $state(false);
  private audio: AudioContext | null = null;
  private gain: GainNode | null = null;
  private voice: Voice | null = null;
  private nextRound = 0;
  private timer: ReturnType<typeof setInterval> | null = null;

  /** To be called from a press. */
  async open(): Promise<void> {
    try {
      this.audio ??= new AudioContext();
      const audio = this.audio;
      audio.onstatechange = () => {
        this.opened = audio.state === 'running';
      };
      await audio.resume();
      this.opened = audio.state === 'running';
    } catch {
      // No audio device: the page goes on asking, and colour and text carry the alarm.
      this.opened = false;
    }
  }

  /** Sounds `voice` until told otherwise; null is silence at once. */
  say(voice: Voice | null): void {
    if (voice === this.voice) return;
    this.voice = voice;
    this.gain?.disconnect();
    this.gain = null;
    this.nextRound = 0;
    if (this.timer !== null) clearInterval(this.timer);
    this.timer = null;
    if (voice === null) return;
    this.round();
    // Browsers slow timers of hidden pages to once a second, so rounds are laid out ahead on the audio clock.
    this.timer = setInterval(() => this.round(), 200);
  }

  private round(): void {
    const audio = this.audio;
    if (audio === null || audio.state !== 'running' || this.voice === null) return;
    if (this.gain === null) {
      this.gain = audio.createGain();
      this.gain.connect(audio.destination);
    }
    const { every, tones } = VOICES[this.voice];
    if (this.nextRound < audio.currentTime) this.nextRound = audio.currentTime + 0.05;
    while (this.nextRound < audio.currentTime + 1.5) {
      for (const [start, length, frequency] of tones) this.tone(audio, this.gain, this.nextRound + start, length, frequency);
      this.nextRound += every;
    }
  }

  private tone(audio: AudioContext, into: GainNode, at: number, length: number, frequency: number): void {
    const oscillator = audio.createOscillator();
    const envelope = audio.createGain();
    oscillator.type = 'triangle';
    oscillator.frequency.value = frequency;
    envelope.gain.setValueAtTime(0, at);
    envelope.gain.linearRampToValueAtTime(0.5, at + 0.012);
    envelope.gain.setValueAtTime(0.5, at + length - 0.03);
    envelope.gain.linearRampToValueAtTime(0, at + length);
    oscillator.connect(envelope).connect(into);
    oscillator.start(at);
    oscillator.stop(at + length);
  }
}

export const speaker = new Speaker();
