/** The keys of every view, for the list of all keys: views bind theirs only while they are shown. A test compares this with what they bind. */
export const VIEW_KEYS: readonly { title: string; keys: readonly (readonly [shown: string, label: string])[] }[] = [
  {
    title: 'Topology',
    keys: [
      ['← ↑ ↓ →', 'Next node'],
      ['Shift ← ↑ ↓ →', 'Select the next node too'],
      ['Ctrl A', 'Select everything shown'],
      ['Enter', 'Open inspector'],
      ['F', 'Fit selection or everything'],
      ['0', 'Zoom to 100 %'],
      ['+', 'Zoom in'],
      ['−', 'Zoom out'],
      ['D', 'Calls or data flow'],
      ['M', 'Overview on or off'],
      ['T', 'Picture or table'],
      ['P', 'Replay: play or pause'],
      ['Esc', 'Step back'],
    ],
  },
  {
    title: 'Journeys',
    keys: [
      ['J', 'Next row'],
      ['K', 'Previous row'],
      ['E', 'Next or, with Shift, previous error'],
      ['O', 'Overview: kinds, and what journeys have in common'],
      ['Escape', 'Clear search and filters'],
    ],
  },
  {
    title: 'Events',
    keys: [
      ['Space', 'Pause the tail'],
      ['J', 'Next row'],
      ['K', 'Previous row'],
      ['Enter', 'Open inspector'],
      ['O', 'Open journey of the event'],
      ['Escape', 'Clear selection, then filters'],
    ],
  },
  {
    title: 'Scenarios',
    keys: [
      ['Ctrl Enter', 'Run the scenario'],
      ['Ctrl Z', 'Undo or, with Shift, redo'],
      ['X', 'Form or text'],
      ['Escape', 'Stop the run'],
    ],
  },
  {
    title: 'Design',
    keys: [
      ['Ctrl Z', 'Undo or, with Shift, redo'],
      ['X', 'Show or hide the text'],
    ],
  },
  {
    title: 'Architecture',
    keys: [
      ['J', 'Next row'],
      ['K', 'Previous row'],
    ],
  },
  {
    title: 'Logs',
    keys: [
      ['Space', 'Pause the log lines'],
      ['J', 'Next row'],
      ['K', 'Previous row'],
      ['O', 'Open journey of the log line'],
      ['Escape', 'Clear selection, then filter'],
    ],
  },
];
