import { describe, expect, it } from 'vitest';
import { Metrics } from './metrics.js';

const fresh = () => new Metrics({ processDefaults: false });

describe('Metrics', () => {
  it('counts what records end in', async () => {
    const metrics = fresh();
    metrics.count('received', 3);
    metrics.count('stored');
    metrics.count('unscored', 4);
    metrics.rejected('not-json', 2);
    metrics.deadLetters(2);
    const text = await metrics.text();
    expect(text).toContain('fleet_twin_received_total 3');
    expect(text).toContain('fleet_twin_stored_total 1');
    expect(text).toContain('fleet_twin_unscored_total 4');
    expect(text).toContain('fleet_twin_rejected_total{reason="not-json"} 2');
    expect(text).toContain('fleet_twin_dead_letters_total 2');
  });

  it('shows the lag of a partition until it goes to another process', async () => {
    const metrics = fresh();
    metrics.lag('sensor-data', 3, 42);
    expect(await metrics.text()).toContain('fleet_twin_lag_records{topic="sensor-data",partition="3"} 42');
    metrics.lagGone('sensor-data', 3);
    expect(await metrics.text()).not.toContain('partition="3"');
  });

  it('takes the time of a stage that fails, too', async () => {
    const metrics = fresh();
    await expect(metrics.timed('store', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await metrics.text()).toContain('fleet_twin_stage_seconds_count{stage="store"} 1');
  });

  it('reads observed values when asked, and shares nothing with another instance', async () => {
    const metrics = fresh();
    let held = 1;
    metrics.observed('bridge_held_messages', 'Messages held', () => held);
    held = 7;
    expect(await metrics.text()).toContain('fleet_twin_bridge_held_messages 7');
    expect(await fresh().text()).not.toContain('bridge_held');
  });
});
