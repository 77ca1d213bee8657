/** What terms of the trade mean, for tooltips wherever they stand. */
export const MEANING = {
  p50: 'Half of them took no longer than this (median)',
  p95: '95 of 100 took no longer than this (95th percentile)',
  cons: 'Consumers that were seen',
  redeliv: 'Deliveries of a message that was delivered before',
  dead: 'Messages that were given up on (dead letters)',
  naks: 'Negative acknowledgements: the consumer asked for the message again',
  errors: 'Failed ones: the receiver says so, or without its word the caller, 4xx answers aside',
} as const;
