//! Storage with stable indices. A generation tells whether what an index meant is still there.

/// Items by index; freed places are used again. An item and its generation lie side by side: whoever asks for one mostly wants both.
#[derive(Debug)]
pub(crate) struct Slab<T> {
    places: Vec<Place<T>>,
    free: Vec<u32>,
}

#[derive(Debug)]
struct Place<T> {
    item: T,
    generation: u32,
}

impl<T> Slab<T> {
    pub(crate) fn new() -> Slab<T> {
        Slab { places: Vec::new(), free: Vec::new() }
    }

    #[inline]
    pub(crate) fn insert(&mut self, item: T) -> u32 {
        match self.free.pop() {
            Some(id) => {
                self.places[id as usize].item = item;
                id
            }
            None => {
                self.places.push(Place { item, generation: 0 });
                (self.places.len() - 1) as u32
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
        let generation = &mut self.places[id as usize].generation;
        *generation = generation.wrapping_add(1);
        *generation
    }

    #[inline]
    pub(crate) fn generation(&self, id: u32) -> u32 {
        self.places[id as usize].generation
    }

    #[inline]
    pub(crate) fn is(&self, id: u32, generation: u32) -> bool {
        self.places[id as usize].generation == generation
    }

    /// All places that were ever used, freed ones with what they last held.
    pub(crate) fn places(&self) -> impl Iterator<Item = &T> {
        self.places.iter().map(|place| &place.item)
    }

    /// How many are stored.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.places.len() - self.free.len()
    }
}

impl<T> std::ops::Index<u32> for Slab<T> {
    type Output = T;
    #[inline]
    fn index(&self, id: u32) -> &T {
        &self.places[id as usize].item
    }
}

impl<T> std::ops::IndexMut<u32> for Slab<T> {
    #[inline]
    fn index_mut(&mut self, id: u32) -> &mut T {
        &mut self.places[id as usize].item
    }
}
