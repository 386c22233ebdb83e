using System.Net;
using System.Net.Sockets;
using Muster.EmbeddedStore;
using Muster.Redis.Tests;

[assembly: AssemblyFixture(typeof(StoreServers))]

namespace Muster.Redis.Tests;

public enum StoreKind
{
    Redis,
    Embedded,
}

/// <summary>Both servers, started once; each test uses records of its own.</summary>
public sealed class StoreServers : IAsyncLifetime
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("muster-embedded-");
    private RedisServer? _redis;
    private EmbeddedStoreServer? _embedded;

    public static TheoryData<StoreKind> Both => [StoreKind.Redis, StoreKind.Embedded];

    public async ValueTask InitializeAsync()
    {
        _embedded = EmbeddedStoreServer.Start(_folder.FullName);
        _redis = await RedisServer.StartAsync("everysec", CancellationToken.None);
    }

    public StoreSession Open(StoreKind kind, string? connectionString = null) => kind == StoreKind.Redis
        ? StoreSession.Open(connectionString ?? _redis!.ConnectionString)
        : StoreSession.Open(connectionString ?? _embedded!.ConnectionString, _embedded);

    public string ConnectionString(StoreKind kind) => kind == StoreKind.Redis ? _redis!.ConnectionString : _embedded!.ConnectionString;

    public EndPoint EndPoint(StoreKind kind) => kind == StoreKind.Redis
        ? new IPEndPoint(IPAddress.Loopback, _redis!.Port)
        : new UnixDomainSocketEndPoint(_embedded!.SocketPath);

    public async ValueTask DisposeAsync()
    {
        if (_redis is not null)
        {
            await _redis.DisposeAsync();
        }

        if (_embedded is not null)
        {
            await _embedded.DisposeAsync();
        }

        _folder.Delete(recursive: true);
    }
}
