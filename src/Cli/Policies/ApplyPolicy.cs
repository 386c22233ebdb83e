using System.CommandLine;
using Google.Protobuf;
using Grpc.Core;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Policies;

internal static class ApplyPolicy
{
    public static Command Create()
    {
        var id = VerbOptions.Name("policy", "The policy's id, for example hardening.");
        var file = VerbOptions.Name("file", "A JSON file: {\"models\": [], \"rules\": [{\"name\": \"ssh-off\", \"requiredSetting\": "
            + "{\"setting\": \"Network.SSH.Enabled\", \"value\": \"no\"}}, {\"name\": \"os\", \"minimumOsVersion\": \"12.0\"}]}");
        var requestId = VerbOptions.RequestId();
        return new Command("apply", "Creates the policy, or replaces its rules.") { id, file, requestId }
            .Calls(async (session, parsed, cancellationToken) =>
            {
                var policy = Read(parsed.GetRequiredValue(file));
                policy.Name = session.NameOf(PolicyColumns.Collection, parsed.GetRequiredValue(id));
                var client = PolicyColumns.Client(session);
                await session.Output.ShowAsync(await ExistsAsync(client, policy.Name, cancellationToken)
                    ? await client.UpdatePolicyAsync(new V1.UpdatePolicyRequest { Policy = policy }, cancellationToken: cancellationToken)
                    : await client.CreatePolicyAsync(
                        new V1.CreatePolicyRequest
                        {
                            Parent = session.Parent,
                            PolicyId = Values.Short(policy.Name),
                            Policy = policy,
                            RequestId = parsed.RequestIdOf(requestId),
                        },
                        cancellationToken: cancellationToken));
            });
    }

    private static V1.Policy Read(string file)
    {
        try
        {
            return V1.Policy.Parser.ParseJson(ProfileFolder.ReadText(file));
        }
        catch (Exception exception) when (exception is InvalidProtocolBufferException or InvalidJsonException)
        {
            throw new UsageException($"'{file}' is no policy: {exception.Message}", exception);
        }
    }

    private static async Task<bool> ExistsAsync(V1.Policies.PoliciesClient client, string name, CancellationToken cancellationToken)
    {
        try
        {
            await client.GetPolicyAsync(new V1.GetPolicyRequest { Name = name }, cancellationToken: cancellationToken);
            return true;
        }
        catch (RpcException refusal) when (refusal.StatusCode == StatusCode.NotFound)
        {
            return false;
        }
    }
}
