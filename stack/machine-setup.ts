import type { Progress } from './progress.js';
import { prepareParts } from './prepare.js';
import { surroundingsOf } from './surroundings.js';
import { setUpTensorflow } from './tensorflow.js';

/** What set-up does once the sources are compiled: native TensorFlow, and the parts that nobody has given. */
export async function setUpMachine(projectDir: string, withStack: boolean, progress: Progress): Promise<void> {
  const surroundings = surroundingsOf(process.env);
  await setUpTensorflow(projectDir, surroundings, progress);
  if (withStack) await prepareParts(surroundings, progress);
}
