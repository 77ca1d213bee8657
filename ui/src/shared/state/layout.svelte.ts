/** Parts of the window that every view shares. */
class WindowLayout {
  /** Whether the inspector may show (Ctrl I). Views show it when something is selected. */
  inspector = $state(true);
  /** The key list. */
  keyList = $state(false);
  /** Versions and licences. */
  about = $state(false);
}

export const windowLayout = new WindowLayout();
