//! Storage with stable indices. A generation tells whether what an index meant is still there.

/// Items by index; freed places are used again.
#[derive(Debug)]
pub(crate) struct Slab<T> {
    items: Vec<T>,
    generations: Vec<u32>,
    free: Vec<u32>,
}

impl<T> Slab<T> {
    pub(crate) fn new() -> Slab<T> {
        Slab { items: Vec::new(), generations: Vec::new(), free: Vec::new() }
    }

    #[inline]
    pub(crate) fn insert(&mut self, item: T) -> u32 {
        match self.free.pop() {
            Some(id) => {
                self.items[id as usize] = item;
                id
            }
            None => {
                self.items.push(item);
                self.generations.push(0);
                (self.items.len() - 1) as u32
            }
        }
    }

    /// Frees a place: whatever refers to its old generation finds nothing.
    #[inline]
    pub(crate) fn remove(&mut self, id: u32) {
        self.renew(id);
        self.free.push(id);
    }

    /// Makes everything that waits for this item's old generation void.
    #[inline]
    pub(crate) fn renew(&mut self, id: u32) -> u32 {
        let generation = &mut self.generations[id as usize];
        *generation = generation.wrapping_add(1);
        *generation
    }

    #[inline]
    pub(crate) fn generation(&self, id: u32) -> u32 {
        self.generations[id as usize]
    }

    #[inline]
    pub(crate) fn is(&self, id: u32, generation: u32) -> bool {
        self.generations[id as usize] == generation
    }

    /// All places that were ever used, freed ones with what they last held.
    pub(crate) fn places(&self) -> &[T] {
        &self.items
    }

    /// How many are stored.
    pub(crate) fn len(&self) -> usize {
        self.items.len() - self.free.len()
    }
}

impl<T> std::ops::Index<u32> for Slab<T> {
    type Output = T;
    #[inline]
    fn index(&self, id: u32) -> &T {
        &self.items[id as usize]
    }
}

impl<T> std::ops::IndexMut<u32> for Slab<T> {
    #[inline]
    fn index_mut(&mut self, id: u32) -> &mut T {
        &mut self.items[id as usize]
    }
}
