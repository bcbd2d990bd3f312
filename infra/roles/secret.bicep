// The right to read one secret of a vault in role-based mode (Microsoft Learn, "Provide access to Key Vault keys,
// certificates, and secrets with Azure role-based access control": a single secret is a scope). The secret has to be there.
param vaultName string
param secretName string
param principalId string
param roleId string

resource vault 'Microsoft.KeyVault/vaults@2024-11-01' existing = {
  name: vaultName
}

resource secret 'Microsoft.KeyVault/vaults/secrets@2024-11-01' existing = {
  parent: vault
  name: secretName
}

resource grant 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(secret.id, principalId, roleId)
  scope: secret
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleId)
  }
}
