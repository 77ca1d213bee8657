import RBush from 'rbush';

/** A rectangle: centre and size. */
export interface Area {
  x: number;
  y: number;
  width: number;
  height: number;
}

interface Entry<T> {
  minX: number;
  minY: number;
  maxX: number;
  maxY: number;
  item: T;
}

/** Rectangles that are found by where they lie. */
export class Space<T> {
  #tree = new RBush<Entry<T>>();

  /** With rectangles by their centres. */
  static of<T extends Area>(items: Iterable<T>): Space<T> {
    const space = new Space<T>();
    space.#tree.load([...items].map((item) => entry(item, item)));
    return space;
  }

  /** With rectangles by a corner. */
  static placed<T>(items: Iterable<readonly [{ x: number; y: number; width: number; height: number }, T]>): Space<T> {
    const space = new Space<T>();
    space.#tree.load([...items].map(([box, item]) => ({ minX: box.x, minY: box.y, maxX: box.x + box.width, maxY: box.y + box.height, item })));
    return space;
  }

  add(area: Area, item: T): void {
    this.#tree.insert(entry(area, item));
  }

  /** Whether anything is nearer to a rectangle than `air`. */
  isTaken(area: Area, air: number): boolean {
    const { minX, minY, maxX, maxY } = entry(area, null);
    return this.#tree.collides({ minX: minX - air, minY: minY - air, maxX: maxX + air, maxY: maxY + air });
  }

  /** All within `reach` of a point. */
  around(x: number, y: number, reach: number): T[] {
    return this.#tree.search({ minX: x - reach, minY: y - reach, maxX: x + reach, maxY: y + reach }).map((found) => found.item);
  }

  /** All that touch a rectangle given by its corner. */
  within(box: { x: number; y: number; width: number; height: number }): T[] {
    return this.#tree.search({ minX: box.x, minY: box.y, maxX: box.x + box.width, maxY: box.y + box.height }).map((found) => found.item);
  }
}

function entry<T>(area: Area, item: T): Entry<T> {
  return { minX: area.x - area.width / 2, minY: area.y - area.height / 2, maxX: area.x + area.width / 2, maxY: area.y + area.height / 2, item };
}
