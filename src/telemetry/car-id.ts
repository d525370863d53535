const CAR_ID = /^[A-Za-z0-9_-]{1,64}$/;

export function isCarId(text: string): boolean {
  return CAR_ID.test(text);
}

/** The car id at the end of an MQTT topic, or of a Kafka key (which may be a whole topic); null when there is none. */
export function carIdOf(topicOrKey: string): string | null {
  const last = topicOrKey.slice(topicOrKey.lastIndexOf('/') + 1);
  return isCarId(last) ? last : null;
}
