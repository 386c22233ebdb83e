using System.Net;
using Muster.ServiceDefaults;
using StackExchange.Redis;

namespace Muster.Gateway.Hosting;

/// <summary>
/// The Redis that silos and gateways meet in. Whoever reaches it can join the cluster, so it has to ask for a password, and a host
/// that has none or a wrong one ends with a sentence instead of trying for ever.
/// </summary>
public static class ClusterStore
{
    /// <summary>A Redis that starts beside its hosts is up by then; a supervisor repeats the start.</summary>
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(10);

    /// <summary>What Redis says to a client that it does not know.</summary>
    private static readonly string[] RefusalWords = ["NOAUTH", "WRONGPASS", "NOPERM"];

    /// <summary>How Orleans' own providers connect.</summary>
    public static ConfigurationOptions Parse(string connectionString)
    {
        try
        {
            return ConfigurationOptions.Parse(connectionString);
        }
        catch (ArgumentException)
        {
            // The text may hold a password: it is not repeated.
            throw new StartRefusedException("Muster:Store:ConnectionString cannot be read.");
        }
    }

    /// <summary>Passes when the store takes this host's password and answers.</summary>
    public static async Task VerifyAsync(string connectionString)
    {
        var options = Parse(connectionString);
        if (string.IsNullOrEmpty(options.Password) && !options.EndPoints.All(IsLocal))
        {
            throw new StartRefusedException(
                "Muster:Store:ConnectionString has no password. A Redis that other machines reach has to ask for one (requirepass or "
                + "an ACL): add password=… to the connection string.");
        }

        options.AbortOnConnectFail = true;
        options.ConnectRetry = 1;
        options.ConnectTimeout = (int)ConnectTimeout.TotalMilliseconds;
        options.ClientName = "muster-start";
        try
        {
            await using var connection = await ConnectionMultiplexer.ConnectAsync(options);
            await connection.GetDatabase().PingAsync();
        }
        catch (RedisException fault)
        {
            throw new StartRefusedException(Explain(options, fault), fault);
        }
    }

    private static bool IsLocal(EndPoint endPoint) => endPoint switch
    {
        IPEndPoint address => IPAddress.IsLoopback(address.Address),
        DnsEndPoint name => name.Host == "localhost",
        _ => endPoint.AddressFamily == System.Net.Sockets.AddressFamily.Unix,
    };

    private static string Explain(ConfigurationOptions options, RedisException fault)
    {
        var servers = string.Join(", ", options.EndPoints.Select(NameOf));
        var said = fault.ToString();
        var isRefused = fault is RedisConnectionException { FailureType: ConnectionFailureType.AuthenticationFailure }
            || RefusalWords.Any(word => said.Contains(word, StringComparison.Ordinal));
        if (!isRefused)
        {
            return $"The store at {servers} does not answer.";
        }

        return string.IsNullOrEmpty(options.Password)
            ? $"The store at {servers} asks for a password and Muster:Store:ConnectionString has none."
            : $"The store at {servers} refuses the password of Muster:Store:ConnectionString.";
    }

    private static string NameOf(EndPoint endPoint) => endPoint is DnsEndPoint name ? $"{name.Host}:{name.Port}" : $"{endPoint}";
}
