using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Muster.Cli;
using Muster.Cli.Session;
using Muster.Contracts.Devices;
using Muster.Contracts.Operators;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Operators;
using V1 = Muster.Protocol.V1;

namespace Muster.Gateway.Tests.Grpc;

/// <summary>The command line against the real listener: the profile, the certificates, the exit codes.</summary>
public sealed class CommandLineTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task DevicesList_AsJson_PrintsEveryDevice()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        var profile = await MakeProfileAsync(edge, "anna", OperatorRole.Viewer);
        await edge.Fleet.InventoryOf(1).PutAsync(Samples.Row("B2"));
        await edge.Fleet.InventoryOf(2).PutAsync(Samples.Row("A1"));

        var (code, output, error) = await RunAsync("devices", "list", "--output", "json", "--profile", profile);

        Assert.True(code == ExitCodes.Done, error);
        Assert.Equal(
            ["tenants/default/devices/A1", "tenants/default/devices/B2"],
            output.Trim().Split('\n').Select(line => V1.Device.Parser.ParseJson(line).Name));
    }

    [Fact]
    public async Task DevicesGet_OfNoDevice_IsRefusedWithTheReason()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        var profile = await MakeProfileAsync(edge, "anna", OperatorRole.Viewer);
        edge.Fleet.On<IDeviceGrain, DeviceReply>(nameof(IDeviceGrain.GetAsync), (key, _) =>
            new DeviceReply(null, DeviceErrors.NotFound(DeviceKey.Parse(key).Device)));

        var (code, output, error) = await RunAsync("devices", "get", "A1", "--profile", profile);

        Assert.Equal((ExitCodes.Refused, ""), (code, output));
        Assert.StartsWith("NOT_FOUND: There is no device 'A1'.", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task WhoAmI_AtAServerOfAnotherCa_IsUnreachable()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        await using var other = await OperatorsEdge.StartAsync();
        var profile = await MakeProfileAsync(edge, "anna", OperatorRole.Viewer);
        File.Copy(Path.Combine(other.Folder, "server-ca.pem"), Path.Combine(profile, "server-ca.pem"), overwrite: true);

        var (code, _, _) = await RunAsync("whoami", "--profile", profile);

        Assert.Equal(ExitCodes.Unreachable, code);
    }

    [Fact]
    public async Task OperatorsRequestAddAccept_GivesAProfileThatWorks()
    {
        await using var edge = await OperatorsEdge.StartAsync();
        AnswerOperators(edge);
        var admin = await MakeProfileAsync(edge, "anna", OperatorRole.Administrator);
        var bob = Path.Combine(edge.Folder, "bob");
        var grant = Path.Combine(edge.Folder, "grant.json");

        var requested = await RunAsync("operators", "request", "bob", "--profile", bob, "-o", "json");
        var added = await RunAsync(
            "operators", "add", "bob", "--role", "approver", "--request", requested.Output.Trim(), "--out", grant, "--profile", admin);
        var accepted = await RunAsync("operators", "accept", grant, "--profile", bob);
        var me = await RunAsync("whoami", "--profile", bob, "-o", "json");

        Assert.True(added.Code == ExitCodes.Done, added.Error);
        Assert.True(accepted.Code == ExitCodes.Done, accepted.Error);
        Assert.True(me.Code == ExitCodes.Done, me.Error);
        Assert.Equal([V1.OperatorRole.Approver], V1.Operator.Parser.ParseJson(me.Output).Roles);
        Assert.DoesNotContain("PRIVATE KEY", await File.ReadAllTextAsync(grant, Stop), StringComparison.Ordinal);
    }

    private static void AnswerOperators(OperatorsEdge edge)
    {
        var added = new Dictionary<string, OperatorAccount>();
        edge.Fleet.On<IOperatorGrain, OperatorReply>(nameof(IOperatorGrain.AddAsync), (key, args) =>
        {
            var (tenant, id) = OperatorKey.Parse(key);
            var command = (Muster.Contracts.Operators.AddOperator)args[0]!;
            var certificate = edge.Sign(command.SigningRequest, id);
            edge.Accounts[id.Value] = [.. command.Roles];
            added[key] = Samples.Account(tenant, id, [.. command.Roles], certificate.CertificateSha256) with { Certificate = certificate };
            return new OperatorReply(added[key], null);
        });
        edge.Fleet.On<IOperatorGrain, OperatorReply>(nameof(IOperatorGrain.GetAsync), (key, _) => new OperatorReply(added[key], null));
    }

    internal static async Task<string> MakeProfileAsync(OperatorsEdge edge, string name, OperatorRole role)
    {
        var folder = Path.Combine(edge.Folder, name);
        Directory.CreateDirectory(folder);
        edge.Accounts[name] = [role];
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=whoever", key, HashAlgorithmName.SHA256);
        Assert.True(ResourceId.TryParse(name, out var id));
        await File.WriteAllTextAsync(Path.Combine(folder, "operator.pem"), edge.Sign(request.CreateSigningRequestPem(), id).Pem, Stop);
        await File.WriteAllTextAsync(Path.Combine(folder, "operator.key"), key.ExportPkcs8PrivateKeyPem(), Stop);
        await File.WriteAllTextAsync(Path.Combine(folder, "server-ca.pem"), edge.Pki.ServerCaPem, Stop);
        var profile = JsonSerializer.Serialize(new { server = edge.Address.ToString(), @operator = name, tenant = "default" });
        await File.WriteAllTextAsync(Path.Combine(folder, "profile.json"), profile, Stop);
        return folder;
    }

    internal static async Task<(int Code, string Output, string Error)> RunAsync(params string[] arguments)
    {
        var (output, error) = (new StringWriter(), new StringWriter());
        var code = await MusterCommand.RunAsync(arguments, output, error, Stop);
        return (code, output.ToString(), error.ToString());
    }
}
