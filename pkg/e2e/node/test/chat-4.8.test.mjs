import { chatSuite } from '../suite/chat.mjs';

chatSuite('4.8');
