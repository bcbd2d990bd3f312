// The subscription's events: one system topic of this kind may exist in a subscription, so an existing one is taken over by name.
param name string
param existingTopic bool
param tags object

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' = if (!existingTopic) {
  name: name
  location: 'global'
  tags: tags
  identity: {
    type: 'SystemAssigned'
  }
  properties: {
    source: subscription().id
    topicType: 'Microsoft.Resources.Subscriptions'
  }
}

resource found 'Microsoft.EventGrid/systemTopics@2025-02-15' existing = if (existingTopic) {
  name: name
}

output name string = name
// An existing topic needs a system-assigned identity before this is deployed: docs/deploy.md says how.
output principalId string = existingTopic ? found!.identity.principalId : topic!.identity.principalId
