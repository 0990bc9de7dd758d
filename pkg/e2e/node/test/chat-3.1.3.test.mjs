import { chatSuite } from '../suite/chat.mjs';

chatSuite('3.1.3');
