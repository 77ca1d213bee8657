/** Layers as the map shows them, left to right. */
export const LAYERS = ['backend', 'system', 'event', 'process', 'experience', 'consumer'] as const;

/** A layer's name on the wire. */
export type LayerName = (typeof LAYERS)[number];

const TITLES: Record<LayerName, string> = {
  backend: 'Backends',
  system: 'System',
  event: 'Topics',
  process: 'Process',
  experience: 'Experience',
  consumer: 'Users & automations',
};

const SINGULAR: Record<LayerName, string> = {
  backend: 'Backend',
  system: 'System',
  event: 'Event-driven',
  process: 'Process',
  experience: 'Experience',
  consumer: 'User or automation',
};

/** Heading of a layer's column. */
export function layerTitle(layer: string): string {
  return TITLES[layer as LayerName] ?? layer;
}

/** What one participant of the layer is called. */
export function layerWord(layer: string): string {
  return SINGULAR[layer as LayerName] ?? layer;
}

/** The layer's colour as a token. */
export function layerColour(layer: string): string {
  return layer === 'event' ? 'var(--event)' : `var(--ly-${LAYERS.includes(layer as LayerName) ? layer : 'backend'})`;
}

/** Health in a word. */
export function healthWord(health: string): string {
  return { healthy: 'healthy', failing: 'failing', degraded: 'degraded', quiet: 'quiet' }[health] ?? health;
}
