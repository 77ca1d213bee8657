import { mount } from 'svelte';
import { useBackend } from '../src/lib/backend';
import { mockBackend } from '../src/lib/backend/mock';
import '../src/styles/base.css';
import Gallery from './Gallery.svelte';

// The page shows components, not data: nothing is asked.
useBackend(mockBackend({}));
const target = document.getElementById('app');
if (!target) throw new Error('The page has no #app element.');
mount(Gallery, { target });
