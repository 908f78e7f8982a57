import js from '@eslint/js'
import globals from 'globals'

export default [
  { ignores: ['native/index.js', 'node_modules/'] },
  js.configs.recommended,
  {
    files: ['**/*.js', '**/*.cjs'],
    languageOptions: { ecmaVersion: 2023, sourceType: 'commonjs', globals: globals.node },
  },
  {
    files: ['test/e2e/editor.test.js', 'test/support/editor.js'],
    languageOptions: { globals: globals.browser },
  },
  { files: ['**/*.mjs'], languageOptions: { globals: globals.node } },
  {
    rules: {
      eqeqeq: ['error', 'smart'],
      'no-var': 'error',
      'prefer-const': 'error',
      'no-unused-vars': ['error', { args: 'all', argsIgnorePattern: '^_' }],
    },
  },
]
