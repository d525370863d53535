import { Field, Float, ID, Int, ObjectType } from '@nestjs/graphql';
import { roleOf, type ModelRole } from '../registry/lifecycle.js';
import type { DriftVerdict } from '../score/drift.js';
import type { ModelDocument, ModelSlots } from '../twin/model-documents.js';
import { DriftVerdictEnum, ModelRoleEnum, SignalName } from './enums.js';
import { DateTime, Long } from './scalars.js';

@ObjectType('Model', { description: 'A registered model.' })
export class ModelModel {
  @Field(() => ID, { description: 'name@version, as scores name it.' })
  readonly id!: string;

  @Field(() => String, { description: 'Name, shared by its versions.' })
  readonly name!: string;

  @Field(() => String, { description: 'Version.' })
  readonly version!: string;

  @Field(() => ModelRoleEnum, { description: 'What it does now.' })
  readonly role!: ModelRole;

  @Field(() => String, { description: 'Kind of model, by what it is made of and fed with.' })
  readonly kind!: string;

  @Field(() => Float, { nullable: true, description: "Scores above it are anomalous, in the model's own unit." })
  readonly threshold!: number | null;

  @Field(() => String, { description: 'SHA-256 over its files: what it is, whatever it is called.' })
  readonly artefact!: string;

  @Field(() => DateTime, { description: 'When it was registered.' })
  readonly registeredAt!: Date;

  @Field(() => String, { description: 'Who registered it.' })
  readonly registeredBy!: string;

  @Field(() => String, { description: 'Where it came from, as said then.' })
  readonly note!: string;

  @Field(() => DateTime, { nullable: true, description: 'When it was retired; null while it may be used.' })
  readonly retiredAt!: Date | null;
}

@ObjectType({ description: 'Which models score the readings of the cars.' })
export class ModelsInUse {
  @Field(() => Int, { description: 'Counts the changes (a number).' })
  readonly revision!: number;

  @Field(() => ID, { nullable: true, description: 'The model whose scores count; null: that of MODEL_DIR.' })
  readonly champion!: string | null;

  @Field(() => [ID], { description: 'Models that score beside it and raise nothing.' })
  readonly shadows!: readonly string[];
}

@ObjectType({
  description: 'A model that scored in the shadow beside the one in use, over the readings that both scored.',
})
export class ModelComparison {
  @Field(() => ID, { description: 'The model in the shadow.' })
  readonly model!: string;

  @Field(() => ID, { description: 'The model that was in use.' })
  readonly champion!: string;

  @Field(() => Long, { description: 'Readings that both scored (a number).' })
  readonly readings!: number;

  @Field(() => Int, { description: 'Cars of those readings (a number).' })
  readonly cars!: number;

  @Field(() => Long, { description: 'Readings anomalous for both (a number).' })
  readonly both!: number;

  @Field(() => Long, { description: 'Readings anomalous for neither (a number).' })
  readonly neither!: number;

  @Field(() => Long, { description: 'Readings anomalous for the shadow only: alarms it would add (a number).' })
  readonly extra!: number;

  @Field(() => Long, { description: 'Readings anomalous for the model in use only: alarms it would miss (a number).' })
  readonly missing!: number;

  @Field(() => Int, { description: 'Cars with an extra anomalous reading (a number).' })
  readonly carsExtra!: number;

  @Field(() => Int, { description: 'Cars with a missing anomalous reading (a number).' })
  readonly carsMissing!: number;

  @Field(() => Float, { description: 'Mean of score / threshold of the shadow (no unit).' })
  readonly meanRatio!: number;

  @Field(() => Float, { description: 'Mean of score / threshold of the model in use (no unit).' })
  readonly championMeanRatio!: number;
}

@ObjectType({ description: 'How far one signal is from the training window.' })
export class SignalDrift {
  @Field(() => SignalName, { description: 'The signal.' })
  readonly signal!: string;

  @Field(() => Float, {
    nullable: true,
    description: 'Population stability index (no unit); null where too few readings carry the signal.',
  })
  readonly psi!: number | null;

  @Field(() => DriftVerdictEnum, { nullable: true, description: 'What that means; null where it is not known.' })
  readonly verdict!: DriftVerdict | null;

  @Field(() => Float, { description: 'Share of the readings without the signal (0..1).' })
  readonly missing!: number;

  @Field(() => Float, { description: 'Share of the readings without the signal in training (0..1).' })
  readonly trainedMissing!: number;
}

@ObjectType({ description: 'How far some readings are from the training window.' })
export class Drift {
  @Field(() => Float, { nullable: true, description: 'Firmware of the cars (version); null for all of them together.' })
  readonly firmware!: number | null;

  @Field(() => Int, { description: 'Readings that were looked at (a number).' })
  readonly readings!: number;

  @Field(() => DriftVerdictEnum, {
    nullable: true,
    description: 'FOREIGN where a third of the signals are; null where there are too few readings.',
  })
  readonly verdict!: DriftVerdict | null;

  @Field(() => [SignalDrift], { description: 'Signal by signal.' })
  readonly signals!: readonly SignalDrift[];
}

@ObjectType({ description: "The fleet's readings of a time against those that a model was trained on." })
export class FleetDrift {
  @Field(() => ID, { description: 'The model.' })
  readonly model!: string;

  @Field(() => DateTime, { description: 'Start of the time, included.' })
  readonly from!: Date;

  @Field(() => DateTime, { description: 'End of the time, not included.' })
  readonly to!: Date;

  @Field(() => [Drift], { description: 'All readings that were looked at, then by firmware, the most frequent first.' })
  readonly groups!: readonly Drift[];
}

export function modelModel(model: ModelDocument, slots: ModelSlots): ModelModel {
  const { _id: id, name, version, kind, threshold, artefact, registeredAt, registeredBy, note, retiredAt } = model;
  const role = roleOf(model, slots);
  return { id, name, version, role, kind, threshold, artefact, registeredAt, registeredBy, note, retiredAt };
}
