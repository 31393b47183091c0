// A list that has just changed its order moves its buttons under the hand that was about to press. For half a second after a
// change its controls do not take presses; in a flood at most a third of the time, so that the operator can still work.

const STILL_MS = 500;
const APART_MS = 1_500;

export class Settle {
  moving = $state(false);
  private order = '';
  private last = Number.NEGATIVE_INFINITY;

  /** Takes in the list's present order. */
  see(order: string): void {
    if (order === this.order) return;
    const first = this.order === '';
    this.order = order;
    const at = performance.now();
    if (first || at - this.last < APART_MS) return;
    this.last = at;
    this.moving = true;
    setTimeout(() => {
      this.moving = false;
    }, STILL_MS);
  }
}
