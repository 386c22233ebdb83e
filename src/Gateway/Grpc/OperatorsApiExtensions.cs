using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;
using Muster.Gateway.Anchors;
using Muster.Gateway.Catalogues;
using Muster.Gateway.Decommissioning;
using Muster.Gateway.Deliveries;
using Muster.Gateway.Devices;
using Muster.Gateway.EndOfSupport;
using Muster.Gateway.Enrollments;
using Muster.Gateway.Images;
using Muster.Gateway.Mqtt;
using Muster.Gateway.Maintenance;
using Muster.Gateway.Operators;
using Muster.Gateway.Policies;
using Muster.Gateway.Rollouts;
using Muster.Gateway.Serials;
using Muster.Gateway.Strategies;
using Muster.Gateway.Transfers;
using Muster.Gateway.Trust;
using Muster.Gateway.Warranty;

namespace Muster.Gateway.Grpc;

/// <summary>
/// Wires the operators' API. The host provides <see cref="IGrainFactory"/>, <see cref="Contracts.Commit.PartitionMap"/>,
/// <see cref="Artifacts.IArtifactStore"/> and <see cref="Identity.IServerCertificate"/>, and has made <c>operators-ca.pem</c> and
/// <c>server-ca.pem</c> in <c>Muster:Pki:Directory</c> before the first connection.
/// </summary>
public static class OperatorsApiExtensions
{
    private const string PkiDirectoryKey = "Muster:Pki:Directory";

    public static IServiceCollection AddOperatorsApi(this IServiceCollection services, IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configuration);
        services.AddOptionsWithValidateOnStart<OperatorsOptions, OperatorsOptionsValidator>()
            .Bind(configuration.GetSection(OperatorsOptions.SectionName))
            .Configure(options => options.PkiDirectory = configuration[PkiDirectoryKey] ?? options.PkiDirectory);
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<OperatorTls>();
        services.AddSingleton<OperatorAccounts>();
        services.AddSingleton<WatchSlots>();
        services.AddSingleton<RolloutSimulations>();
        services.AddSingleton<RolloutEstimates>();
        services.AddSingleton<DecisionWatch>();
        services.AddSingleton<RowLister>();
        services.AddSingleton<DeviceEditing>();
        services.AddSingleton<RowWatch>();
        services.AddSingleton<ImportSlots>();
        services.AddSingleton(CreateValidators());
        services.AddSingleton<LoggingInterceptor>();
        services.AddSingleton<ErrorInterceptor>();
        services.AddSingleton<AuthInterceptor>();
        services.AddSingleton<ValidationInterceptor>();
        services.AddGrpc();
        services.AddOptions<global::Grpc.AspNetCore.Server.GrpcServiceOptions>().Configure<IOptions<OperatorsOptions>>((grpc, options) =>
        {
            // From the outside in: every refusal is logged and has a status; who calls is known before what he asks for is read.
            grpc.Interceptors.Add<LoggingInterceptor>();
            grpc.Interceptors.Add<ErrorInterceptor>();
            grpc.Interceptors.Add<AuthInterceptor>();
            grpc.Interceptors.Add<ValidationInterceptor>();
            grpc.MaxReceiveMessageSize = options.Value.MessageBytesMax;
            grpc.MaxSendMessageSize = options.Value.MessageBytesMax;
        });
        services.AddGrpcReflection();

        // What Check and Watch answer for the whole server: this edge takes calls. A store that is down shows in the calls themselves.
        services.AddGrpcHealthChecks().AddCheck("operators-api", () => HealthCheckResult.Healthy());
        return services;
    }

    /// <summary>Listens for gRPC of operators at the configured address. There is no way to listen without TLS.</summary>
    public static void UseOperatorsListener(this KestrelServerOptions kestrel)
    {
        ArgumentNullException.ThrowIfNull(kestrel);
        var options = kestrel.ApplicationServices.GetRequiredService<IOptions<OperatorsOptions>>().Value;
        var tls = kestrel.ApplicationServices.GetRequiredService<OperatorTls>();
        kestrel.Limits.Http2.MaxStreamsPerConnection = options.StreamsPerConnectionMax;

        // Finds a caller that is gone without a word; his watches end with the connection.
        kestrel.Limits.Http2.KeepAlivePingDelay = TimeSpan.FromSeconds(30);
        kestrel.Limits.Http2.KeepAlivePingTimeout = TimeSpan.FromSeconds(20);
        MqttGatewayExtensions.ListenAt(kestrel, options.Address, options.Port, listen =>
        {
            listen.Protocols = HttpProtocols.Http2;
            listen.UseHttps(tls.CreateOptions());
        });
    }

    /// <summary>Maps all services, reflection and health. By any other listener they refuse everybody.</summary>
    public static IEndpointRouteBuilder MapOperatorsApi(this IEndpointRouteBuilder endpoints)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        endpoints.MapGrpcService<DevicesService>();
        endpoints.MapGrpcService<WarrantiesService>();
        endpoints.MapGrpcService<ImagesService>();
        endpoints.MapGrpcService<RolloutsService>();
        endpoints.MapGrpcService<StrategiesService>();
        endpoints.MapGrpcService<PoliciesService>();
        endpoints.MapGrpcService<ProductsService>();
        endpoints.MapGrpcService<DecommissionsService>();
        endpoints.MapGrpcService<OperatorsService>();
        endpoints.MapGrpcService<MaintenanceService>();
        endpoints.MapGrpcService<TransfersService>();
        endpoints.MapGrpcService<DeliveriesService>();
        endpoints.MapGrpcService<TrustService>();
        endpoints.MapGrpcService<CataloguesService>();
        endpoints.MapGrpcService<AnchorsService>();
        endpoints.MapGrpcService<EnrollmentsService>();
        endpoints.MapGrpcService<SerialsService>();
        endpoints.MapGrpcReflectionService();
        endpoints.MapGrpcHealthChecksService();
        return endpoints;
    }

    internal static RequestValidators CreateValidators()
    {
        var validators = new RequestValidators();
        DevicesValidators.AddTo(validators);
        WarrantiesValidators.AddTo(validators);
        ImagesValidators.AddTo(validators);
        RolloutsValidators.AddTo(validators);
        StrategiesValidators.AddTo(validators);
        PoliciesValidators.AddTo(validators);
        ProductsValidators.AddTo(validators);
        DecommissionsValidators.AddTo(validators);
        OperatorsValidators.AddTo(validators);
        MaintenanceValidators.AddTo(validators);
        TransfersValidators.AddTo(validators);
        DeliveriesValidators.AddTo(validators);
        TrustValidators.AddTo(validators);
        CataloguesValidators.AddTo(validators);
        AnchorsValidators.AddTo(validators);
        EnrollmentsValidators.AddTo(validators);
        SerialsValidators.AddTo(validators);
        return validators;
    }
}
