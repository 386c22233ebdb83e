using System.Security.Cryptography.X509Certificates;
using Muster.Gateway.Tests.Edge;
using Muster.Protocol;

namespace Muster.Gateway.Tests.Broker;

/// <summary>The fleet CA's revocation list in mosquitto's hands (<c>crlfile</c>): a tombstone does not even get in.</summary>
public sealed class BrokerRevocationListTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Connect_WithACertificateOnTheList_IsRefusedByTheBrokerAndOthersAreNot(bool restarts)
    {
        await using var broker = await Mosquitto.StartAsync(checksRevocations: true);
        await using var edge = await DeviceEdge.StartBehindAsync(broker, "gateway-1");
        using var revoked = broker.Pki.IssueOperational(Samples.Serial);
        await using var before = await TestClient.ConnectedAsync(edge, "CAM-BEFORE");
        Assert.True(await IsLetInAsync(edge, revoked));

        broker.WriteRevocations([revoked]);
        if (restarts)
        {
            await broker.KillAsync();
            await broker.RunAsync();
        }
        else
        {
            broker.Reload();
        }

        await RefusedAsync(edge, revoked);
        await edge.ConnectedToBrokerAsync();
        await using var other = await TestClient.ConnectedAsync(edge, Samples.OtherSerial);
        await other.PublishAsync(Samples.OtherSerial, Topics.Hello, Samples.Hello(Samples.OtherSerial));
        await other.NextAsync(Samples.OtherSerial, Topics.Ack);
        Assert.Equal(!restarts, before.IsConnected);
    }

    /// <summary>A connection that is open is not looked at again: the device's record refuses it.</summary>
    [Fact]
    public async Task Reload_WithTheCertificateOfAnOpenConnection_LeavesItOpen()
    {
        await using var broker = await Mosquitto.StartAsync(checksRevocations: true);
        await using var edge = await DeviceEdge.StartBehindAsync(broker, "gateway-1");
        using var revoked = broker.Pki.IssueOperational(Samples.Serial);
        using var probe = broker.Pki.IssueOperational(Samples.OtherSerial);
        await using var open = new TestClient(edge, Copy(revoked));
        await open.ConnectAsync(Samples.Serial);
        broker.WriteRevocations([revoked, probe]);
        broker.Reload();
        await RefusedAsync(edge, probe);

        Assert.True((await open.PublishAsync(Samples.Serial, Topics.Status, Samples.Status())).IsSuccess);
    }

    /// <summary>What the documents warn of: a list lives for a day, and by one that is over nobody is let in.</summary>
    [Fact]
    public async Task Connect_WithAListThatIsOver_IsRefusedForEverybody()
    {
        await using var broker = await Mosquitto.StartAsync(checksRevocations: true);
        await using var edge = await DeviceEdge.StartBehindAsync(broker, "gateway-1");
        using var good = broker.Pki.IssueOperational(Samples.Serial);
        Assert.True(await IsLetInAsync(edge, good));
        broker.WriteRevocations([], age: TimeSpan.FromHours(25));
        await broker.KillAsync();
        await broker.RunAsync();

        Assert.False(await IsLetInAsync(edge, good));
    }

    /// <summary>Until the broker has read the list.</summary>
    private static async Task RefusedAsync(DeviceEdge edge, X509Certificate2 certificate)
    {
        var deadline = TimeProvider.System.GetTimestamp();
        while (await IsLetInAsync(edge, certificate))
        {
            Assert.True(TimeProvider.System.GetElapsedTime(deadline) < TimeSpan.FromSeconds(20), "The broker does not know the list.");
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }
    }

    private static async Task<bool> IsLetInAsync(DeviceEdge edge, X509Certificate2 certificate)
    {
        await using var client = new TestClient(edge, Copy(certificate));
        try
        {
            await client.ConnectAsync(Samples.Serial);
            await client.SubscribeAsync(Topics.Down(Samples.Serial, "#"));
            return true;
        }
        catch (MQTTnet.Exceptions.MqttCommunicationException)
        {
            return false;
        }
    }

    /// <summary>A client disposes of its own.</summary>
    private static X509Certificate2 Copy(X509Certificate2 certificate) =>
        X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pfx), null, X509KeyStorageFlags.Exportable);
}
