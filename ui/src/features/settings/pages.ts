import { Archive, Bell, BookUser, Boxes, ExternalLink, EyeOff, FileCode, FileCog, Info, KeyRound, Layers, Palette, Radio, Shapes, ShieldCheck, Spline, Upload, UsersRound } from '@lucide/svelte';
import type { Component } from 'svelte';

/** A page of the settings. */
export interface Page {
  id: string;
  label: string;
  /** One line on what it is about. */
  text: string;
  icon: Component<{ size?: number }>;
  /** Heading in the list of pages, above the first of its kind. */
  group?: string;
  /** Other words people may look for it by. */
  words?: string;
}

/** All pages, as the list shows them. */
export const PAGES: Page[] = [
  { id: 'sources', label: 'Sources', icon: Radio, text: 'Where data comes from', group: 'Data', words: 'receivers listeners ports otlp nats forward token endpoint' },
  { id: 'imports', label: 'Import', icon: Upload, text: 'Files and pasted text', words: 'open drop paste json' },
  { id: 'retention', label: 'Retention', icon: Archive, text: 'What is kept, what was removed, a copy of it', words: 'keep delete expire age size limit disk backup copy save compact history' },
  { id: 'participants', label: 'Participants', icon: Shapes, text: 'Who is on the map, where and why', group: 'Rules', words: 'services nodes select many bulk' },
  { id: 'layers', label: 'Layers', icon: Layers, text: 'Where a participant stands on the map', words: 'column system process experience backend' },
  { id: 'domains', label: 'Domains', icon: Boxes, text: 'Parts of the business', words: 'group namespace' },
  { id: 'aliases', label: 'Aliases', icon: BookUser, text: 'Two names of one participant', words: 'rename merge same' },
  { id: 'owners', label: 'Owners', icon: UsersRound, text: 'Who runs what', words: 'team contact runbook' },
  { id: 'keys', label: 'Business keys', icon: KeyRound, text: 'Fields that name an order, a parcel, a claim', words: 'identifier id correlation baggage find' },
  { id: 'joins', label: 'Joins', icon: Spline, text: 'What makes traces one journey', words: 'correlation causation hub batch never always' },
  { id: 'noise', label: 'Noise', icon: EyeOff, text: 'Operations that are folded away', words: 'health check probe ping poll metrics hide ignore' },
  { id: 'redaction', label: 'Redaction', icon: ShieldCheck, text: 'What is hidden on display', words: 'mask privacy secret personal data' },
  { id: 'links', label: 'Links & trace stores', icon: ExternalLink, text: 'Where else the same moment can be seen', words: 'grafana kibana splunk jaeger tempo url template' },
  { id: 'protobuf', label: 'Protobuf', icon: FileCode, text: 'How binary payloads are read', words: 'descriptor set proto message payload' },
  { id: 'file', label: 'Settings file', icon: FileCog, text: 'The one home of all rules', words: 'toml git path config' },
  { id: 'appearance', label: 'Appearance & keyboard', icon: Palette, text: 'Theme, times and keys', group: 'This computer', words: 'dark light utc zone shortcuts letters' },
  { id: 'notifications', label: 'Notifications & tray', icon: Bell, text: 'What the program does by itself', words: 'alert close window quit background' },
  { id: 'about', label: 'About', icon: Info, text: 'Version, licences, bug reports', words: 'diagnostics workspace' },
];

/** The page of this name; where pages moved, the one that has it now. */
export function pageOf(id: string | null): Page {
  return PAGES.find((page) => page.id === id) ?? (PAGES[0] as Page);
}
