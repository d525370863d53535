import type { Panel, Scored, Scorer, ScoreMemory } from '../telemetry/score.js';
import type { Twin } from '../twin/documents.js';
import { scoreInRounds, type Classified } from './score-in-rounds.js';

/** What a shadow model says about one reading. */
export interface Shadowed {
  readonly model: string;
  readonly scored: Scored;
}

export interface PanelScores {
  /** The champion's, for each reading in the order of the input; null where there is nothing to score. */
  readonly scores: readonly (Scored | null)[];
  readonly shadows: readonly (readonly Shadowed[])[];
}

/** Scores a batch by every model in use. A shadow that fails costs its own scores only. */
export async function scoreByPanel(
  classified: readonly Classified[],
  twinOf: (car: string) => Twin | null,
  { champion, shadows }: Panel,
): Promise<PanelScores> {
  const scores = await scoreInRounds(classified, (car) => memoryFor(champion.model, twinOf(car)), champion);
  const beside: Shadowed[][] = classified.map(() => []);
  for (const shadow of shadows)
    for (const [index, scored] of (await shadowScores(classified, twinOf, shadow)).entries())
      if (scored) beside[index]?.push({ model: shadow.model, scored });
  return { scores, shadows: beside };
}

async function shadowScores(
  classified: readonly Classified[],
  twinOf: (car: string) => Twin | null,
  shadow: Scorer,
): Promise<readonly (Scored | null)[]> {
  try {
    return await scoreInRounds(classified, (car) => memoryFor(shadow.model, twinOf(car)), shadow);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return classified.map(() => ({ kind: 'unscored', reason }));
  }
}

/**
 * A model that remembers the same things as the champion shares its memory; one that cannot read it starts afresh. One that was
 * activated goes on with what it remembers from the shadow.
 */
function memoryFor(model: string, twin: Twin | null): ScoreMemory | null {
  const own = twin?.shadowMemory?.find((one) => one.model === model);
  return own?.memory ?? twin?.memory ?? null;
}
