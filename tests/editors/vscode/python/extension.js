// Stands in for the Python extension, as far as Trop speaks with it: the interpreter is that of TROP_TEST_INTERPRETER.
const vscode = require('vscode');

exports.activate = () => ({
  environments: {
    getActiveEnvironmentPath: () => ({ path: process.env.TROP_TEST_INTERPRETER }),
    resolveEnvironment: async ({ path }) => path && { executable: { uri: vscode.Uri.file(path) } },
  },
});
