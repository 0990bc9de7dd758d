import { shallowRef } from 'vue';

const query = matchMedia('(min-width: 64rem) and (min-height: 30rem)');

/** There is room for a panel beside the conversation; people.css knows the same sizes. */
export const isWide = shallowRef(query.matches);

query.addEventListener('change', ({ matches }) => (isWide.value = matches));
