/** Written into every manifest. */
export const GENERATOR = 'tidemark/0.1.0'
